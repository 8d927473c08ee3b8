import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('include')
test.run()
