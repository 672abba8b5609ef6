import type { FabricNetwork } from './support/cloud';
import {
  asked,
  type Balanced,
  balance,
  MODES,
  openStage,
  plugOutsider,
  type Stage,
  startMembers,
} from './support/stage';
import type { Answers } from './support/traffic';

/** Both have it, in networks of their own. */
const CIDRS = ['10.10.0.0/24', '2001:db8:10::/64'];

let stage: Stage;
let other: Stage;

beforeAll(async () => {
  const group = { maxEngines: 1, minScaleout: 1, maxScaleout: 1 };
  stage = await openStage({ group });
  other = await addTenant(stage);
}, 120_000);

afterAll(async () => {
  await stage?.site.close();
});

/** With a network, members and a client that have the addresses of the first tenant's. */
async function addTenant(first: Stage): Promise<Stage> {
  const { site, outside, outsider } = first;
  const projectId = site.cloud.contrail.projectId('admin');
  const front: FabricNetwork = await site.cloud.addNetworkOf(projectId, 'front', CIDRS);
  const client = await site.machine('client-2', front, 'compute-1');
  const members = await startMembers(site, front, 'far');
  return { site, front, outside, client, outsider, members, projectId };
}

const membersOf = ({ answers }: Answers): string[] => Object.keys(answers).sort();
const labels = ({ members }: Stage): string[] => members.map(({ label }) => label);

it('keeps two tenants with equal VIPs and members on one engine apart, in every mode', async () => {
  const made: { readonly own: Balanced; readonly theirs: Balanced; readonly name: string }[] = [];
  for (const [index, mode] of MODES.entries()) {
    const vip = { vip_address: `10.10.0.${100 + index}` };
    const own = await balance(stage, { mode, vip });
    made.push({ own, theirs: await balance(other, { mode, vip }), name: mode.name });
  }
  await plugOutsider(stage);
  const served = (what: string, one: Balanced, by: Stage) =>
    asked(what, one, (answers) => answers.failures.length === 0 && membersOf(answers).length === by.members.length);

  expect(other.members.map(({ addresses }) => addresses)).toEqual(stage.members.map(({ addresses }) => addresses));
  for (const { own, theirs, name } of made) {
    expect([theirs.vip, membersOf(await served(`${name}: the first tenant’s`, own, stage))]).toEqual([
      own.vip,
      labels(stage),
    ]);
    expect(membersOf(await served(`${name}: the other tenant’s`, theirs, other))).toEqual(labels(other));
  }
  expect(await stage.site.db('placement').distinct('service_engine_id')).toHaveLength(1);

  // What one tenant's members do is nothing to the other.
  for (const member of other.members) member.stop();
  for (const { own, theirs, name } of made) {
    const down = await asked(
      `${name}: nobody answers the other tenant`,
      theirs,
      ({ answers }) => Object.keys(answers).length === 0,
    );
    expect(membersOf(down)).toEqual([]);
    expect(membersOf(await served(`${name}: the first tenant’s`, own, stage))).toEqual(labels(stage));
  }
}, 240_000);
