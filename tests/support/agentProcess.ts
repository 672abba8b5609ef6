import { pino } from 'pino';
import { runAgent } from '../../driver/agent/main';

/**
 * An agent as a process of its own, for tests that kill it: `agentProcess.ts <AgentConfig as JSON>`. Asked to end, it ends
 * what it serves, too.
 */
runAgent(JSON.parse(process.argv[2] ?? '{}'), { log: pino({ level: process.env['AGENT_LOG'] ?? 'silent' }) })
  .then((agent) => {
    process.once('SIGTERM', () => void agent.stop({ keepServing: false }).then(() => process.exit()));
  })
  .catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
