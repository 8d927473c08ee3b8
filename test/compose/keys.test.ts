import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('keys')
test.run()
