import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type UnitPaths, unitPaths } from '../../../driver/agent/config';
import { endDaemon, reloadDaemon, startDaemon } from '../../../driver/agent/process/daemon';
import { enter } from '../../../driver/agent/process/enter';

describe('a haproxy', () => {
  let root: string;
  let paths: UnitPaths;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'ss-daemon-'));
    const config = { engineId: 'engine-1', controllers: [], token: '', stateDir: root, runDir: root };
    paths = unitPaths(config, 'lb-1');
    mkdirSync(paths.directory, { recursive: true });
  });
  afterEach(async () => {
    await endDaemon(paths);
    rmSync(root, { recursive: true });
  });

  const configure = (sequence: number) => {
    writeFileSync(paths.config, `global\n  nbthread 1\n  stats socket ${paths.workerSocket(sequence)} level admin\n`);
  };

  // Its master is not ready for signals as soon as its worker answers.
  it('takes every reload, however soon after its start or the one before', async () => {
    configure(0);
    let daemon = await startDaemon(enter(null, 'haproxy'), paths, 0);
    const { master, worker } = daemon;
    for (let sequence = 1; sequence <= 5; sequence += 1) {
      configure(sequence);
      daemon = await reloadDaemon(daemon, paths, sequence);
    }
    expect(daemon.master).toEqual(master);
    expect(daemon.worker).not.toEqual(worker);
    daemon.runtime.close();
  });
});
