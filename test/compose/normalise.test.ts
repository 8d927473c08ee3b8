import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('normalise')
test.run()
