import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('models')
test.run()
