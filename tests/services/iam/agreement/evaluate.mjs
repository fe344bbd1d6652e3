// Runs the cases of standard input, one simulation in JSON a line, and prints the verdict of each.
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const effects = { Allowed: 'allowed', ExplicitlyDenied: 'explicitDeny', ImplicitlyDenied: 'implicitDeny' }

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await runSimulation(JSON.parse(line), { simulationMode: 'Strict' })
  const ignored = answer.result?.ignoredContextKeys ?? []
  const verdict = answer.resultType === 'single' && ignored.length === 0 ? effects[answer.overallResult] : null
  console.log(JSON.stringify(verdict ? { verdict } : { error: answer.errors ?? { ignored, type: answer.resultType } }))
}
