import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('consistency')
test.run()
