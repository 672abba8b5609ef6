import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aListener } from '../support/agentSpecs';
import { ANSWER, ARM, createOneArm, type OneArm } from '../support/oneArm';
import { openRelayIn } from '../support/relay';
import { describeWithNamespaces } from '../support/withServers';

const ROOT = join(__dirname, '../..');
const PORT = 5555;

/** The program as an engine's service starts it, told who it is by a config drive. */
describeWithNamespaces('an agent that is upgraded on its engine', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ss-up-'));
  const drive = join(directory, 'drive');
  const next = join(directory, 'next');
  let program = join(ROOT, 'dist/driver/cli.js');
  let arm: OneArm;

  beforeAll(async () => {
    arm = await createOneArm('ss-up', {
      words: ({ stateDir, runDir }) => [
        program,
        ...['agent', '--config-drive', drive, '--state-dir', stateDir, '--run-dir', runDir],
      ],
    });
    const { config } = arm.engine;
    const [url = ''] = config.controllers;
    await openRelayIn(arm.machine, PORT, url.slice('ws+unix://'.length, -':/'.length));
    const meta = {
      slipstream_engine: config.engineId,
      slipstream_controller_0: `ws://127.0.0.1:${PORT}`,
      AVICNTRL_AUTHTOKEN: config.token,
    };
    mkdirSync(join(drive, 'openstack/latest'), { recursive: true });
    writeFileSync(join(drive, 'openstack/latest/meta_data.json'), JSON.stringify({ meta }));
    // The next version: the same program by another name, as an image of engines has it.
    execFileSync(process.execPath, [join(ROOT, 'devstack/se-image/collect-agent.cjs'), ROOT, next], { stdio: 'pipe' });
    const about = join(next, 'dist/package.json');
    writeFileSync(about, JSON.stringify({ ...JSON.parse(readFileSync(about, 'utf8')), version: '99.0.0' }));
    await arm.engine.start();
    await arm.network.plug(arm.machine, { macAddress: ARM.mac, up: false });
    expect((await arm.engine.controller.putNetworks(arm.networks())).problems).toEqual([]);
    expect(await arm.engine.controller.put(arm.spec(1))).toMatchObject({ outcome: 'applied', refusals: [] });
  }, 120_000);
  afterAll(async () => {
    await arm?.dispose();
    rmSync(directory, { recursive: true, force: true });
  });

  it('leaves haproxy, nginx and networks to its successor, which takes them over: no request fails', async () => {
    const { engine, client } = arm;
    const { controller } = engine;
    const before = engine.haproxy('lb-1');
    expect(await client.ask(ARM.vip, 53, 'before')).toBe('dns before');
    await client.load(ARM.vip, 80);

    await engine.end('SIGTERM');
    expect(await client.fetch(ARM.vip, 80)).toBe(ANSWER);
    expect(await client.ask(ARM.vip, 53, 'between')).toBe('dns between');
    program = join(next, 'dist/driver/cli.js');
    await engine.start();
    expect(controller.hellos().at(-1)).toMatchObject({
      agentVersion: '99.0.0',
      networksDigest: arm.networks().digest,
      held: [{ id: 'lb-1', generation: 1, refusals: [] }],
    });
    const changed = arm.spec(2, { listeners: [aListener({ port: 80 }), aListener({ id: 'new', port: 81 })] });
    expect(await controller.put(changed)).toMatchObject({ outcome: 'applied', refusals: [] });
    expect(await client.fetch(ARM.vip, 81)).toBe(ANSWER);

    const { answered, failures } = await client.unload();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(0);
    expect(engine.haproxy('lb-1')?.master).toEqual(before?.master);
  });
});
