import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('samples')
test.run()
