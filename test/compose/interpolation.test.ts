import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('interpolation')
test.run()
