import type { ReachReport } from '../../driver/protocol/messages';
import { type HealthSite, startHealthSite } from '../support/healthSite';

let site: HealthSite;
beforeEach(async () => {
  site = await startHealthSite();
});
afterEach(() => site.close());

const report = (gateway: ReachReport['gateway']): ReachReport => ({
  ...{ domainId: 'net-1', gateway, heard: [], missed: [] },
});

it('keeps what an engine says of its networks, the last last, and nothing of one that says nothing of them', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);
  for (const gateway of ['unanswered', 'answers', 'silent', 'answers', 'silent'] as const) {
    engine.send({ type: 'neighbours', heard: [], reach: [report(gateway)] });
  }
  const where = { service_engine_id: engine.id, domain_id: 'net-1' };
  await site.waitForRow('engine_reach', { ...where, state: 'trouble', gateway: 0 });

  // An agent of an earlier release.
  engine.send({ type: 'neighbours', heard: [] });
  const other = await site.addEngine();
  await other.connect(url);
  engine.send({ type: 'neighbours', heard: [{ engineId: other.id, heard: true }] });
  await site.waitForRow('engine_hearing', { observer_id: engine.id, service_engine_id: other.id, heard: 1 });
  expect(await site.db('engine_reach').where(where)).toEqual([]);
});
