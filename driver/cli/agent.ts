import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { AgentConfig } from '../agent/config';
import type { Source } from '../agentBootstrap/source';
import { ConfigError } from '../config/config';
import type { RunningProcess } from '../domain/process';

/** Names the agent's own file: who it is, whom it calls, and its token, which must not stand in a command line. */
const VARIABLE = 'SLIPSTREAM_AGENT_CONFIG';

const AgentFile = z.object({
  engineId: z.string().min(1),
  controllers: z.array(z.url({ protocol: /^wss?$/ })).min(1),
  token: z.string().min(1),
  caFingerprint: z.string().min(1).exactOptional(),
  stateDir: z.string().min(1),
  runDir: z.string().min(1),
  materialsDir: z.string().min(1).exactOptional(),
  haproxyPath: z.string().min(1).exactOptional(),
  managesNetworks: z.boolean().exactOptional(),
});

/** What an agent without a file of its own is told on the command line. */
export interface AgentFlags {
  /** A directory that holds the config drive, instead of the device. */
  readonly configDrive?: string;
  readonly metadataUrl: string;
  readonly stateDir: string;
  readonly runDir: string;
}

/** The standard places, on a server of its own. */
export const AGENT_DEFAULTS: AgentFlags = {
  metadataUrl: 'http://169.254.169.254',
  stateDir: '/var/lib/slipstream',
  runDir: '/run/slipstream',
};

/**
 * Starts the agent of one Service Engine: as its file says, or, on a server of its own, as Nova's config drive or metadata
 * do. Asked to end, an agent with a file ends what it serves, too. On a server of its own it leaves all of it serving, as when
 * it is killed, for the next agent to take over: it ends because it is upgraded, or else the server itself goes.
 * @throws ConfigError when its file is not what it should be
 */
export async function startAgent(log: Logger, flags: AgentFlags): Promise<RunningProcess> {
  const path = process.env[VARIABLE];
  return path ? runAs(readAgentFile(path), { log, keepServing: false }) : startOnServer(log, flags);
}

interface Manner {
  readonly log: Logger;
  /** Whether what it serves outlives it when it is asked to end. */
  readonly keepServing: boolean;
}

async function runAs(config: AgentConfig, { log, keepServing }: Manner): Promise<RunningProcess> {
  const { runAgent } = require('../agent/main') as typeof import('../agent/main');
  const agent = await runAgent(config, { log: log.child({ engine: config.engineId }) });
  return { close: () => agent.stop({ keepServing }) };
}

/** Does not wait for whoever tells it who it is: that may take for ever, and it has to be stoppable. */
function startOnServer(log: Logger, flags: AgentFlags): RunningProcess {
  const stop = new AbortController();
  const { bootstrap } = require('../agentBootstrap/bootstrap') as typeof import('../agentBootstrap/bootstrap');
  const { stateDir, runDir } = flags;
  // What is thrown here is thrown as nobody's: it ends the program.
  const running = bootstrap({ sources: sourcesOf(flags), stateDir, log, signal: stop.signal }).then((identity) =>
    identity === undefined
      ? undefined
      : runAs({ ...identity, stateDir, runDir, managesNetworks: true }, { log, keepServing: true }),
  );
  return {
    async close() {
      stop.abort();
      await (await running)?.close();
    },
  };
}

function sourcesOf({ configDrive, metadataUrl }: AgentFlags): Source[] {
  const drives = require('../agentBootstrap/configDrive') as typeof import('../agentBootstrap/configDrive');
  const service = require('../agentBootstrap/metadataService') as typeof import('../agentBootstrap/metadataService');
  const drive = configDrive === undefined ? drives.configDriveDevice() : drives.configDriveDirectory(configDrive);
  return [drive, service.metadataService(metadataUrl)];
}

function readAgentFile(path: string): z.infer<typeof AgentFile> {
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
