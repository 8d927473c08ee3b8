import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('mistakes')
test.run()
