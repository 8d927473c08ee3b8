import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('merge')
test.run()
