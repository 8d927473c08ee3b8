import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('select')
test.run()
