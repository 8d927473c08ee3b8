import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('format')
test.run()
