import { randomUUID } from 'node:crypto';
import { type ChannelModel, connect } from 'amqplib';
import { type Controller, type Controllers, createControllers } from '../support/controllers';
import { joinMariaDb, type LentDatabase, type MariaDbServer } from '../support/mariaDb';
import { RABBITMQ_PASSWORD, RABBITMQ_USER, type RabbitMq, startRabbitMq } from '../support/rabbitmq';
import { waitUntil } from '../support/wait';
import { describeWithServers } from '../support/withServers';

jest.setTimeout(120_000);

describeWithServers('those who listen to notifications', () => {
  let server: MariaDbServer;
  let lent: LentDatabase;
  let broker: RabbitMq;
  let controllers: Controllers;
  let api: Controller;
  let listener: ChannelModel;
  const heard: { event_type: string; payload: Record<string, unknown>; _context_project_id: string }[] = [];

  beforeAll(async () => {
    [server, broker] = await Promise.all([joinMariaDb(), startRabbitMq()]);
    lent = await server.lendDatabase();
    controllers = createControllers({
      databaseUrl: lent.url,
      transportUrl: broker.url(),
      config:
        '[oslo_messaging_notifications]\ndriver = messagingv2\n[house_keeping]\nrelay_interval = 0.2\nevent_notifications = true',
    });
    await controllers.start('housekeeping');
    await controllers.start('worker');
    api = await controllers.start('api');
    listener = await connect({
      hostname: '127.0.0.1',
      port: broker.port,
      username: RABBITMQ_USER,
      password: RABBITMQ_PASSWORD,
    });
    const channel = await listener.createChannel();
    await channel.assertExchange('octavia', 'topic', { durable: false });
    await channel.assertQueue('notifications.info', { durable: false });
    await channel.bindQueue('notifications.info', 'octavia', 'notifications.info');
    await channel.consume('notifications.info', (message) => {
      const outer = JSON.parse(message?.content.toString() ?? '') as { 'oslo.message': string };
      heard.push(JSON.parse(outer['oslo.message']));
    });
  }, 180_000);
  afterAll(async () => {
    await listener?.close();
    await controllers?.dispose();
    lent?.giveBack();
    await Promise.all([broker?.stop(), server?.leave()]);
  }, 60_000);

  it('are told of a load balancer from its creation to its end, and of what we have to say', async () => {
    const project = randomUUID();
    const request = (method: string, path: string, body?: object) =>
      fetch(`${api.url}/v2/lbaas/loadbalancers${path}`, {
        method,
        headers: { 'content-type': 'application/json', 'x-project-id': project },
        ...(body && { body: JSON.stringify({ loadbalancer: body }) }),
      });
    const created = await request('POST', '', { name: 'web', vip_subnet_id: randomUUID() });
    const { loadbalancer } = (await created.json()) as { loadbalancer: { id: string } };
    // Each waits for the one before: that is `immutable_wait`.
    expect((await request('PUT', `/${loadbalancer.id}`, { name: 'shop' })).status).toBe(200);
    await waitUntil('it can be deleted', 20_000, async () => (await request('DELETE', `/${loadbalancer.id}`)).ok);

    await waitUntil('all is heard', 30_000, () => heard.length >= 4);
    const octavias = heard.filter(({ event_type }) => event_type.startsWith('octavia.'));
    expect(octavias.map(({ event_type, payload }) => [event_type, payload['name']])).toEqual([
      ['octavia.loadbalancer.create.end', 'web'],
      ['octavia.loadbalancer.update.end', 'shop'],
      ['octavia.loadbalancer.delete.end', 'shop'],
    ]);
    for (const notice of octavias) {
      expect(notice.payload['loadbalancer_id']).toBe(loadbalancer.id);
      expect(notice._context_project_id).toBe(project);
    }
    expect(heard.map(({ event_type }) => event_type)).toContain('slipstream.load_balancer_deleted');
  });
});
