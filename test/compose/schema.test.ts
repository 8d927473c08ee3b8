import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('schema')
test.run()
