import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('syntax')
test.run()
