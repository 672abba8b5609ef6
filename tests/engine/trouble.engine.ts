import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signal } from '../../driver/agent/process/identity';
import { aListener } from '../support/agentSpecs';
import { ANSWER, ARM, bringUp, createOneArm, type OneArm } from '../support/oneArm';
import { describeWithNamespaces } from '../support/withServers';

/** What befalls a machine: its disk fills up, a process is killed, somebody deletes a namespace, the clock is set. */

const eventsOf = ({ engine }: OneArm, name: string) =>
  engine.controller.received.filter((message) => message.type === 'event' && message.name === name);

describeWithNamespaces('an engine whose disk is full', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ss-disk-'));
  const [stateDir, filler] = [join(directory, 'state'), join(directory, 'state', 'filler')];
  let arm: OneArm;
  beforeAll(async () => {
    mkdirSync(stateDir);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', stateDir]);
    arm = await createOneArm('ss-disk', { config: { stateDir } });
    await bringUp(arm);
  });
  afterAll(async () => {
    await arm?.dispose();
    execFileSync('umount', [stateDir]);
    rmSync(directory, { recursive: true, force: true });
  });

  /** Appends pieces of that size until there is no room for another. */
  const fillUp = (size: number) => {
    const piece = Buffer.alloc(size);
    expect(() => {
      for (;;) appendFileSync(filler, piece);
    }).toThrow('ENOSPC');
  };

  it('serves on, refuses a change, says so, and loses nothing', async () => {
    const { engine, client } = arm;
    await client.load(ARM.vip, 80);
    fillUp(16 * 1024 * 1024);
    await engine.controller.waitFor('it is told', () => eventsOf(arm, 'ENGINE_DISK_FULL').length > 0);
    // What has become free since.
    fillUp(4096);

    const changed = arm.spec(2, { listeners: [aListener({ port: 80 }), aListener({ id: 'new', port: 81 })] });
    expect(await engine.controller.put(changed)).toMatchObject({
      outcome: 'refused',
      refusals: expect.arrayContaining([{ kind: 'listener', id: 'new', reason: expect.stringContaining('ENOSPC') }]),
    });
    expect(await client.fetch(ARM.vip, 80)).toBe(ANSWER);
    const { answered, failures } = await client.unload();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(0);
  });

  it('is taken over by the next agent without a failed request', async () => {
    const { engine, client } = arm;
    const before = engine.haproxy('lb-1');
    await client.load(ARM.vip, 80);
    await engine.end('SIGKILL');
    await engine.start();
    await engine.controller.waitFor('it reports', () => engine.controller.hellos().at(-1)?.held.length === 1);

    expect(await client.fetch(ARM.vip, 80)).toBe(ANSWER);
    expect((await client.unload()).failures).toEqual([]);
    expect(engine.haproxy('lb-1')?.master).toEqual(before?.master);
  });

  it('makes the change once there is room again, and tells that there is', async () => {
    const { engine, client } = arm;
    rmSync(filler);
    const changed = arm.spec(3, { listeners: [aListener({ port: 80 }), aListener({ id: 'new', port: 81 })] });
    expect(await engine.controller.put(changed)).toMatchObject({ outcome: 'applied', refusals: [] });
    expect(await client.fetch(ARM.vip, 81)).toBe(ANSWER);
    await engine.controller.waitFor('it is told', () => eventsOf(arm, 'ENGINE_DISK_FREE').length > 0);
  });
});

describeWithNamespaces('an engine in which somebody interferes', () => {
  const NEIGHBOUR = '10.0.0.101';
  let arm: OneArm;
  beforeAll(async () => {
    arm = await createOneArm('ss-harm');
    await bringUp(arm);
    const listeners = [aListener({ id: 'listener-2', port: 80 })];
    const ack = await arm.engine.controller.put(arm.spec(1, { id: 'lb-2', vips: [NEIGHBOUR], listeners }));
    expect(ack).toMatchObject({ outcome: 'applied', refusals: [] });
  });
  afterAll(() => arm?.dispose());

  it('starts a haproxy again that was killed, and its neighbour notices nothing', async () => {
    const { engine, client } = arm;
    const [before, neighbour] = [engine.haproxy('lb-1'), engine.haproxy('lb-2')];
    if (before === null || neighbour === null) throw new Error('there is no haproxy');
    await client.load(NEIGHBOUR, 80);
    signal(before.worker, 'SIGKILL');

    await engine.controller.waitFor('it is told', () => eventsOf(arm, 'HAPROXY_CRASHED').length > 0);
    await engine.controller.waitFor('it serves', async () => (await client.fetch(ARM.vip, 80, 2000)) === ANSWER);
    expect((await client.unload()).failures).toEqual([]);
    expect(engine.haproxy('lb-2')).toEqual(neighbour);
    expect(engine.haproxy('lb-1')?.worker).not.toEqual(before.worker);
  });

  it('gives a namespace its name again that somebody has deleted, under traffic', async () => {
    const { engine, client, machine } = arm;
    const [name, before] = [engine.domain(ARM.domain), engine.haproxy('lb-1')];
    await client.load(ARM.vip, 80);
    await machine.run('ip', 'netns', 'delete', name);

    await engine.controller.waitFor('it is back', async () =>
      (await machine.run('ip', 'netns', 'list')).includes(name),
    );
    // What needs the name works again: another VIP, another port.
    const listeners = [aListener({ port: 80 }), aListener({ id: 'new', port: 81 })];
    const changed = arm.spec(2, { vips: [ARM.vip, '10.0.0.102'], listeners });
    expect(await engine.controller.put(changed)).toMatchObject({ outcome: 'applied', refusals: [] });
    expect(await client.fetch('10.0.0.102', 81)).toBe(ANSWER);
    expect((await client.unload()).failures).toEqual([]);
    expect(engine.haproxy('lb-1')?.master).toEqual(before?.master);
  });

  it('takes it back also from one that was made by its name', async () => {
    const { engine, client, machine } = arm;
    const name = engine.domain(ARM.domain);
    await client.load(ARM.vip, 80);
    await machine.run('ip', 'netns', 'delete', name);
    await machine.run('ip', 'netns', 'add', name);

    // Between the name of the one and that of the other there is none.
    const shown = () => machine.run('ip', '-n', name, 'link', 'show').catch(() => '');
    await engine.controller.waitFor('its interfaces are seen by its name', async () =>
      (await shown()).includes(ARM.mac),
    );
    expect(await client.fetch(ARM.vip, 80)).toBe(ANSWER);
    expect((await client.unload()).failures).toEqual([]);
  });
});

/** The agent's: haproxy corrects its own, but not for a clock that its threads read at different moments from a file. */
describeWithNamespaces('an agent whose clock is set', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ss-clock-'));
  const offset = join(directory, 'offset');
  const haproxyPath = join(directory, 'haproxy');
  const setClock = (text: string) => {
    writeFileSync(`${offset}.new`, `${text}\n`);
    renameSync(`${offset}.new`, offset);
  };
  let arm: OneArm;
  beforeAll(async () => {
    const library = process.env['SLIPSTREAM_FAKETIME'];
    if (!library) throw new Error('libfaketime is missing: run `npm run test:engine`, which installs it');
    setClock('+0');
    writeFileSync(haproxyPath, '#!/bin/sh\nunset LD_PRELOAD\nexec haproxy "$@"\n', { mode: 0o755 });
    const env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    arm = await createOneArm('ss-clock', { env, config: { haproxyPath } });
    await bringUp(arm);
  });
  afterAll(async () => {
    await arm?.dispose();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(['+2h', '-3h', '+20d'])('goes on reporting and takes changes after a jump to %s', async (jump) => {
    const { engine, client } = arm;
    const { controller } = engine;
    const connections = controller.connections();
    const generation = 2 + ['+2h', '-3h', '+20d'].indexOf(jump);
    await client.load(ARM.vip, 80);
    setClock(jump);

    const heartbeats = () => controller.received.filter(({ type }) => type === 'heartbeat').length;
    const before = heartbeats();
    await controller.waitFor('heartbeats go on', () => heartbeats() > before + 2);
    const counted = () => BigInt(controller.counters('listener-1')?.totalConnections ?? 0);
    const earlier = counted();
    await controller.waitFor('counting goes on', () => counted() > earlier);
    const listeners = [aListener({ port: 80, timeoutClientData: 10_000 + generation })];
    expect(await controller.put(arm.spec(generation, { listeners }))).toMatchObject({
      outcome: 'applied',
      refusals: [],
    });
    expect((await client.unload()).failures).toEqual([]);
    expect(controller.connections()).toBe(connections);
  });
});
