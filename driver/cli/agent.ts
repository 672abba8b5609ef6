import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { z } from 'zod';
import { ConfigError } from '../config/config';
import type { RunningProcess } from '../domain/process';

/** Names the agent's own file: who it is, whom it calls, and its token, which must not stand in a command line. */
const VARIABLE = 'SLIPSTREAM_AGENT_CONFIG';

const AgentFile = z.object({
  engineId: z.string().min(1),
  controllers: z.array(z.url({ protocol: /^wss?$/ })).min(1),
  token: z.string().min(1),
  stateDir: z.string().min(1),
  runDir: z.string().min(1),
  materialsDir: z.string().min(1).exactOptional(),
  haproxyPath: z.string().min(1).exactOptional(),
});

/**
 * Starts the agent of one Service Engine. Asked to end, it ends its haproxies too; killed, it leaves them to the next one.
 * @throws ConfigError when its file is missing or not what it should be
 */
export async function startAgent(log: Logger): Promise<RunningProcess> {
  const file = readAgentFile(process.env[VARIABLE]);
  const { runAgent } = require('../agent/main') as typeof import('../agent/main');
  const agent = await runAgent(file, { log: log.child({ engine: file.engineId }) });
  return { close: () => agent.stop({ keepServing: false }) };
}

function readAgentFile(path: string | undefined): z.infer<typeof AgentFile> {
  if (!path) throw new ConfigError(`an agent needs the environment variable ${VARIABLE}: the path of its JSON file`);
  const content = AgentFile.safeParse(readJson(path));
  if (content.success) return content.data;
  const [issue] = content.error.issues;
  throw new ConfigError(`${path}: ${issue?.path.join('.') || 'content'}: ${issue?.message}`);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(`${path} cannot be read: ${(error as Error).message}`);
  }
}
