/** What a load looks at: whoever remembers what came of it has to know when that no longer holds. */

type Environment = Readonly<Record<string, string>>

/** What a load gets from outside. */
export interface Inputs {
  readonly environment: Environment
  readFile(path: string): string | undefined
}

/** The same inputs, watched. */
export class Observation implements Inputs {
  readonly files = new Set<string>()
  readonly variables = new Set<string>()
  /** All variables were listed: a new one would count, too. */
  sawAll = false
  readonly environment: Environment
  readonly #readFile: Inputs['readFile']

  constructor({ environment, readFile }: Inputs) {
    this.#readFile = readFile
    const note = (name: string | symbol): void => void (typeof name === 'string' && this.variables.add(name))
    this.environment = new Proxy(environment, {
      get: (target, name, receiver) => {
        note(name)
        return Reflect.get(target, name, receiver)
      },
      has: (target, name) => {
        note(name)
        return Reflect.has(target, name)
      },
      getOwnPropertyDescriptor: (target, name) => {
        note(name)
        return Reflect.getOwnPropertyDescriptor(target, name)
      },
      ownKeys: (target) => {
        this.sawAll = true
        return Reflect.ownKeys(target)
      },
    })
  }

  readonly readFile = (path: string): string | undefined => {
    this.files.add(path)
    return this.#readFile(path)
  }
}

/** The environment with one variable set over it: not a copy, so that an observed one is still seen to be asked. */
export const withVariable = (environment: Environment, name: string, value: string): Environment => {
  const own = { value, writable: true, enumerable: true, configurable: true }
  return new Proxy(environment, {
    get: (target, key, receiver) => (key === name ? value : Reflect.get(target, key, receiver)),
    has: (target, key) => key === name || Reflect.has(target, key),
    getOwnPropertyDescriptor: (target, key) => (key === name ? own : Reflect.getOwnPropertyDescriptor(target, key)),
    ownKeys: (target) => [...new Set([...Reflect.ownKeys(target), name])],
  })
}
