import { readFileSync } from 'node:fs';
import pino from 'pino';
import { openBus } from '../../driver/cli/bus';
import { openDatabase } from '../../driver/cli/database';
import { runUntilSignal } from '../../driver/cli/lifecycle';
import { createNoopNetwork } from '../../driver/clouds/network/noop';
import { configFromText } from '../../driver/config/config';
import type { RunningProcess } from '../../driver/domain/process';
import { runHousekeeping } from '../../driver/housekeeping/main';
import { runWorker } from '../../driver/worker/main';
import { createFaultPoints } from './faultPoints';
import { remoteCompute } from './remoteCompute';

/**
 * A worker or a housekeeping process whose engines stand in the test's yard, and which ends or stops itself where it is
 * told to. Arguments: the process, and its configuration file. SIGUSR2 arms the fault.
 */
const [, , name, configFile = ''] = process.argv;
const { CHAOS_YARD = '', CHAOS_POINT = '0', CHAOS_SIGNAL = 'SIGKILL' } = process.env;

async function start(): Promise<RunningProcess> {
  const config = configFromText(readFileSync(configFile, 'utf8'));
  const log = pino({ level: 'info' });
  const faults = createFaultPoints();
  const db = await openDatabase(config);
  faults.watchDb(db);
  const bus = faults.watch(openBus(config, { log }));
  const network = faults.watch(createNoopNetwork());
  const compute = faults.watch(remoteCompute(CHAOS_YARD));
  process.on('SIGUSR2', () => {
    faults.arm(Number(CHAOS_POINT), CHAOS_SIGNAL as NodeJS.Signals);
    log.info('the fault is armed');
  });
  const parts = { config, db, bus, network, compute, log };
  const running = name === 'worker' ? await runWorker(parts) : await runHousekeeping(parts);
  return {
    async close() {
      await running.close();
      await bus.close();
      await db.destroy();
    },
  };
}

void runUntilSignal(start, { log: pino({ level: 'info' }), patience: 10 });
