import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('dotenv')
test.run()
