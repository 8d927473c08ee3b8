import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('values')
test.run()
