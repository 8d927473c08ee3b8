import { test } from 'uvu'
import { testPhase } from './cases.ts'

testPhase('scalars')
test.run()
