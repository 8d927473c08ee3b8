import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('extends')
test.run()
