import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { openDrivers } from '../../driver/cli/drivers';
import { configFromText } from '../../driver/config/config';
import { contentOf, problemOf } from '../../driver/trace/facts';
import { serveIntrospect, struct } from '../fabric/support/introspect';
import { aSurveyedPort, someFacts } from '../trace/facts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** What a trace is told of an engine's port by who is asked as the configuration says. */
async function look(contrail: string) {
  const config = configFromText(`[controller_worker]
network_driver = contrail
compute_driver = noop
[keystone_authtoken]
auth_url = http://127.0.0.1:9/v3
username = slipstream
password = secret
project_name = service
[contrail]
api_servers = 127.0.0.1:9
auth = none
introspect_timeout = 2
${contrail}
`);
  const { drivers, close } = openDrivers(config, pino({ level: 'silent' }));
  closers.push(close);
  const facts = someFacts();
  const survey = contentOf(facts.survey);
  if (!survey) throw new Error('there is no survey');
  const ports = [aSurveyedPort('1', { bgpServiceIds: ['service'] })];
  return drivers.introspect?.look({ tree: facts.tree, vnics: facts.vnics, survey: { ...survey, ports } });
}

it('asks analytics and schema transformers where the configuration says', async () => {
  const paths: string[] = [];
  const analytics = createServer((request, response) => {
    paths.push(decodeURIComponent(request.url ?? ''));
    response.end('{"UveVMInterfaceAgent": {"active": true}}');
  });
  await new Promise<void>((resolve) => analytics.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    analytics.closeAllConnections();
    analytics.close();
  });
  const transformer = await serveIntrospect({
    StObjectReq: (query) =>
      struct('StObjectListResp', {
        objects: [struct('StObject', { object_uuid: query.get('object_id_or_fq_name') ?? '' })],
      }),
  });
  closers.push(() => transformer.close());
  const { port } = analytics.address() as AddressInfo;

  const seen = await look(
    `analytics_servers = 127.0.0.1:${port}\nschema_transformer_introspect_port = ${transformer.address.split(':')[1]}`,
  );

  expect(paths).toEqual([expect.stringContaining('/virtual-machine-interface/d:p:port-1?flat')]);
  expect(contentOf(seen?.analytics?.ports)).toMatchObject([{ portId: 'port-1', record: { active: true } }]);
  expect(contentOf(seen?.transformer)).toEqual([{ serviceId: 'service', known: true }]);
});

it('says of those that are not there that they are not, and asks nobody where it is not to', async () => {
  const seen = await look('analytics_servers = 127.0.0.1:9\nschema_transformer_introspect_port = 9');

  expect(problemOf(seen?.analytics?.ports)).toContain('ECONNREFUSED');
  expect(problemOf(seen?.transformer)).toContain('ECONNREFUSED');
  expect(await look('introspect = false')).toBeUndefined();
});
