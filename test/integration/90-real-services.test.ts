// takes: 20 s
import { test } from 'uvu'
import { needsRoot, skipFile } from '../helpers/root.ts'
import { cleanUp } from './scenario.ts'
import { checkShop, missingServices, shop } from './shop.ts'

needsRoot(test)
if (missingServices().length > 0) skipFile(`needs ${missingServices().join(', ')}`)
test.after(cleanUp)

test('redis, PostgreSQL and nginx of this machine are services of one project', () => checkShop(shop('caisson/host')))

test.run()
