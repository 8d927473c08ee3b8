import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('refused')
test.run()
