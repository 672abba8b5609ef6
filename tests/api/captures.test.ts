import { ENGINES_TOPIC } from '../../driver/bus/port';
import {
  beginCapturePart,
  endCapturePart,
  endCapturesOf,
  insertCaptureChunk,
  listDueCaptures,
  purgeCaptures,
} from '../../driver/db/captures';
import { interfaceBlock, packetBlock, readCapture, sectionHeader } from '../../driver/domain/pcapng';
import { PROJECT, startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup, insertLoadBalancer, insertPlacement } from '../support/rows';
import { waitUntil } from '../support/wait';

const TABLES = ['event', 'capture', 'placement', 'service_engine', 'service_engine_group', 'load_balancer'];
const UNKNOWN = '99999999-9999-4999-8999-999999999999';
const PAST = '2020-01-01 00:00:00.000';

describeOnDatabases('captures of packets', (database) => {
  let api: TestApi;
  let told: number;
  let lb: string;
  let engines: string[];
  beforeAll(async () => {
    api = await startTestApi({ db: await database.open() });
    await api.bus.subscribeBroadcast(ENGINES_TOPIC, ({ method }) => {
      if (method === 'captures') told += 1;
    });
  });
  beforeEach(async () => {
    for (const table of TABLES) await api.db(table).delete();
    told = 0;
    const group = (await insertGroup(api.db)).id;
    lb = (await insertLoadBalancer(api.db, { project_id: PROJECT })).id;
    engines = [];
    for (const name of ['se-a', 'se-b', 'se-dead']) {
      const connected_to = name === 'se-dead' ? null : 'hm-1';
      const { id } = await insertEngine(api.db, { service_engine_group_id: group, name, connected_to });
      await insertPlacement(api.db, { load_balancer_id: lb, service_engine_id: id });
      engines.push(id);
    }
  });
  afterAll(() => api.close());

  const begin = (capture: object = {}, headers?: Record<string, string>) =>
    api.post(`/v2/slipstream/loadbalancers/${lb}/captures`, { capture }, headers);
  const started = async (capture: object = {}): Promise<string> => (await begin(capture)).body.capture.id;
  const show = async (id: string) => (await api.get(`/v2/slipstream/captures/${id}`)).body.capture;
  const fileOf = (text: string, at: bigint) => {
    const packet = { interfaceIndex: 0, at, originalLength: text.length, data: Buffer.from(text) };
    return Buffer.concat([sectionHeader(), interfaceBlock({ name: 'v0', linkType: 1 }), packetBlock(packet)]);
  };
  const send = (id: string, engineId: string, file: Buffer, sequence = 0) => {
    const chunk = { capture_id: id, engine_id: engineId, sequence, data: file.toString('base64') };
    return insertCaptureChunk(api.db, chunk, file.length);
  };

  it('are asked of the engines that live, and told to operators as events', async () => {
    const { status, body } = await begin({ filter: 'tcp port 80', duration: 5, size: 100_000 });

    expect(status).toBe(201);
    const asked = { state: 'asked', packets: 0, bytes: 0, problem: null };
    expect(body.capture).toMatchObject({
      loadbalancer_id: lb,
      project_id: PROJECT,
      filter: 'tcp port 80',
      duration: 5,
      packets: 10_000,
      size: 100_000,
      state: 'running',
      engines: [
        { id: engines[0], name: 'se-a', ...asked },
        { id: engines[1], name: 'se-b', ...asked },
      ],
    });
    await waitUntil('health-managers are told', 10_000, () => told === 1);
    expect(await listDueCaptures(api.db, 'hm-1')).toMatchObject([{ size: 50_000 }, { size: 50_000 }]);
    expect(await listDueCaptures(api.db, 'hm-2')).toEqual([]);
    expect(await api.db('event').first()).toMatchObject({
      name: 'CAPTURE_STARTED',
      load_balancer_id: lb,
      message: 'packets are captured on 2 engines with filter "tcp port 80": 5 s, 10000 packets, 100000 bytes at most',
      request_id: expect.stringMatching(/^req-/),
    });
  });

  it('are merged by time into one file, while they run and when they are over', async () => {
    const id = await started();
    const [a = '', b = ''] = engines;
    await beginCapturePart(api.db, id, a);
    await beginCapturePart(api.db, id, b);
    const [first, second] = [fileOf('later', 2n), fileOf('earlier', 1n)];
    expect(await send(id, a, first.subarray(0, 50))).toBe(true);
    expect(await send(id, a, first.subarray(50), 1)).toBe(true);
    expect(await send(id, b, second)).toBe(true);
    await endCapturePart(api.db, { captureId: id, engineId: a }, { packets: 1, problem: null });
    await endCapturePart(api.db, { captureId: id, engineId: b }, { packets: 1, problem: 'no such device' });

    expect(await show(id)).toMatchObject({
      state: 'done',
      engines: [
        { state: 'done', packets: 1, bytes: first.length, problem: null },
        { state: 'done', problem: 'no such device' },
      ],
    });
    const answer = await fetch(`${api.url}/v2/slipstream/captures/${id}/data`);
    expect(answer.headers.get('content-type')).toBe('application/vnd.tcpdump.pcap');
    const { interfaces, packets } = readCapture(Buffer.from(await answer.arrayBuffer()));
    expect(interfaces.map(({ name }) => name)).toEqual(['se-a:v0', 'se-b:v0']);
    expect(packets.map(({ data }) => String(data))).toEqual(['earlier', 'later']);
    expect((await api.get(`/v2/slipstream/loadbalancers/${lb}/captures`)).body.captures).toMatchObject([{ id }]);
    expect(await api.db('event').where({ name: 'CAPTURE_READ' })).toHaveLength(1);
  });

  it('keep nothing beyond their size, and nothing nobody asked for', async () => {
    const id = await started({ size: 8192 });
    const [a = '', b = ''] = engines;
    expect(await send(id, a, Buffer.alloc(10))).toBe(false);
    await beginCapturePart(api.db, id, a);
    expect(await beginCapturePart(api.db, id, a)).toBe(false);

    expect(await send(id, a, Buffer.alloc(4000))).toBe(true);
    expect(await send(id, a, Buffer.alloc(97), 1)).toBe(false);
    expect(await send(id, b, Buffer.alloc(10))).toBe(false);

    expect((await show(id)).engines[0].bytes).toBe(4000);
  });

  it('are stopped by the first delete, and gone with the second', async () => {
    const id = await started();
    const [a = '', b = ''] = engines;
    for (const engine of [a, b]) await beginCapturePart(api.db, id, engine);

    expect((await api.delete(`/v2/slipstream/captures/${id}`)).status).toBe(204);

    expect(await listDueCaptures(api.db, 'hm-1')).toMatchObject([{ stopping: 1 }, { stopping: 1 }]);
    await endCapturePart(api.db, { captureId: id, engineId: a }, { packets: 0, problem: null });
    await endCapturesOf(api.db, b, 'gone');
    expect(await show(id)).toMatchObject({ state: 'done', engines: [{}, { problem: 'gone' }] });
    expect((await api.delete(`/v2/slipstream/captures/${id}`)).status).toBe(204);
    expect((await api.get(`/v2/slipstream/captures/${id}`)).status).toBe(404);
    expect(await api.db('capture_part').pluck('capture_id')).toEqual([]);
  });

  it('are over when engines that were asked do not answer, and purged when they expire', async () => {
    const id = await started();
    const [a = ''] = engines;
    await beginCapturePart(api.db, id, a);
    await send(id, a, Buffer.alloc(10));
    await api.db('capture').update({ ends_at: PAST });

    expect(await show(id)).toMatchObject({ state: 'done', engines: [{ problem: 'the engine did not answer' }, {}] });
    expect(await listDueCaptures(api.db, 'hm-1')).toEqual([]);
    await api.db('capture').update({ expires_at: PAST });
    await purgeCaptures(api.db);
    for (const table of ['capture', 'capture_part', 'capture_chunk'])
      expect(await api.db(table).select('*')).toEqual([]);
  });

  it('are bounded for a project and for all', async () => {
    for (let i = 0; i < 4; i += 1) await started();
    const refused = await begin();
    expect([refused.status, refused.body.faultstring]).toEqual([
      409,
      `4 captures of project ${PROJECT} are running: no more at a time.`,
    ]);
    await api.db('capture').update({ project_id: 'somebody' });
    expect((await begin()).status).toBe(201);
    await api.db('capture_part').update({ state: 'done' });
    expect((await begin()).status).toBe(201);
  });

  it.each([[{ duration: 0 }], [{ duration: 4000 }], [{ packets: 0 }], [{ size: 100 }], [{ filter: 'x'.repeat(1001) }]])(
    'are refused for bounds that are none: %j',
    async (capture) => {
      expect((await begin(capture)).status).toBe(400);
    },
  );

  it('are for operators, of load balancers that engines serve', async () => {
    const member = { 'x-roles': 'member' };
    const id = await started();
    expect((await begin({}, member)).status).toBe(403);
    expect((await api.get(`/v2/slipstream/loadbalancers/${lb}/captures`, member)).status).toBe(403);
    for (const path of [id, `${id}/data`])
      expect((await api.get(`/v2/slipstream/captures/${path}`, member)).status).toBe(403);
    expect((await api.delete(`/v2/slipstream/captures/${id}`, member)).status).toBe(403);
    for (const path of [UNKNOWN, `${UNKNOWN}/data`])
      expect((await api.get(`/v2/slipstream/captures/${path}`)).status).toBe(404);
    expect((await api.get(`/v2/slipstream/loadbalancers/${UNKNOWN}/captures`)).status).toBe(404);
    await api.db('service_engine').update({ connected_to: null });
    const refused = await begin();
    expect([refused.status, refused.body.faultstring]).toEqual([
      409,
      `Load Balancer ${lb} is on no engine that is connected.`,
    ]);
  });
});
