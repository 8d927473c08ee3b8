import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('discover')
test.run()
