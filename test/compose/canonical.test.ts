import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('canonical')
test.run()
