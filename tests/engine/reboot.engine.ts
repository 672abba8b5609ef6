import { mkdtempSync, rmSync } from 'node:fs';
import { end } from '../../driver/agent/process/identity';
import type { LoadBalancerSpec } from '../../driver/protocol/spec';
import { aListener } from '../support/agentSpecs';
import { aListenerTls, bundleOf, createTexts } from '../support/agentTls';
import { issue } from '../support/certificates/issue';
import { ANSWER, ARM, bringUp, createOneArm, type OneArm } from '../support/oneArm';
import { describeWithNamespaces } from '../support/withServers';

/** Prints the name in the certificate that a server shows, or an error's code. */
const LOOK = `
const [host, port] = process.argv.slice(1);
const socket = require('node:tls').connect({ host, port, rejectUnauthorized: false }, () => {
  console.log(socket.getPeerCertificate().subject.CN);
  process.exit();
});
socket.on('error', ({ code }) => { console.log(code); process.exit(); });
setTimeout(() => { console.log('silence'); process.exit(); }, 2000);
`;

describeWithNamespaces('an engine that is rebooted while no controller is there', () => {
  const texts = createTexts();
  const materialsDir = mkdtempSync('/dev/shm/ss-boot-');
  let arm: OneArm;
  let spec: LoadBalancerSpec;
  beforeAll(async () => {
    arm = await createOneArm('ss-boot', { config: { materialsDir } });
    await bringUp(arm);
    const certificate = texts.material('certificate', bundleOf(await issue({ cn: 'secure.example.org' })));
    spec = arm.spec(2, {
      listeners: [
        aListener({ port: 80 }),
        aListener({
          id: 'listener-tls',
          port: 443,
          protocol: 'TERMINATED_HTTPS',
          tls: aListenerTls({ certificate }),
        }),
      ],
    });
    expect(await arm.engine.controller.put(spec, texts.byDigest)).toMatchObject({ outcome: 'applied', refusals: [] });
  });
  afterAll(async () => {
    await arm?.dispose();
    rmSync(materialsDir, { recursive: true, force: true });
  });

  const shown = async () => (await arm.client.namespace.run(process.execPath, '-e', LOOK, ARM.vip, '443')).trim();

  /** What a reboot leaves: the disk, and NICs as the hypervisor plugs them in. */
  const reboot = async () => {
    const { engine, machine } = arm;
    const { config } = engine;
    await engine.end('SIGKILL');
    const left = engine.haproxy('lb-1');
    await end(left === null ? [] : [left.master, left.worker], 0);
    const name = engine.domain(ARM.domain);
    await machine.run('ip', '-n', name, 'link', 'set', `v${ARM.mac.replaceAll(':', '')}`, 'netns', machine.name);
    await machine.run('ip', 'netns', 'delete', name);
    for (const memory of [config.runDir, materialsDir]) rmSync(memory, { recursive: true, force: true });
  };

  it('serves plain listeners from its last specs, and those with certificates once these are sent again', async () => {
    const { engine, client } = arm;
    const { controller } = engine;
    expect([await client.fetch(ARM.vip, 80), await shown()]).toEqual([ANSWER, 'secure.example.org']);

    await reboot();
    controller.pause();
    await engine.start({ waits: false });
    await controller.waitFor('it serves', async () => (await client.fetch(ARM.vip, 80, 2000)) === ANSWER);
    expect(['silence', 'ECONNREFUSED']).toContain(await shown());

    const before = controller.hellos().length;
    controller.resume();
    await controller.waitFor('it calls', () => controller.hellos().length > before);
    expect(controller.hellos().at(-1)?.held).toMatchObject([
      {
        id: 'lb-1',
        generation: 2,
        lacking: Object.keys(texts.byDigest),
        refusals: [{ id: 'listener-tls', reason: 'its certificate is not on this engine yet' }],
      },
    ]);
    expect(await controller.put(spec, texts.byDigest)).toMatchObject({ outcome: 'applied', refusals: [] });
    expect([await client.fetch(ARM.vip, 80), await shown()]).toEqual([ANSWER, 'secure.example.org']);
  });
});
