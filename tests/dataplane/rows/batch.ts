import { waitUntil } from '../../support/wait';
import { spread } from '../clients/web';
import type { Row } from '../row';
import type { MemberGiven, Served, Stage } from '../stage';

/** Replaces the members of the pool in one request and waits until that is done. */
async function replace(stage: Stage, served: Served, members: readonly MemberGiven[], query = ''): Promise<void> {
  const given = members.map(({ backend: { address, port }, ...fields }) => ({
    ...{ address, protocol_port: port },
    ...fields,
  }));
  await stage.update(served, `pools/${served.poolId}/members${query}`, { members: given });
}

/** Members replaced as a whole. */
export const batchRows: readonly Row[] = [
  {
    proves: ['BATCH member.address', 'BATCH member.protocol_port', 'BATCH member.subnet_id', 'BATCH member.weight'],
    title: 'a batch adds, changes and removes members at once',
    async run(stage) {
      const one = await stage.web('one');
      const two = await stage.web('two', { address: '127.0.42.1' });
      const three = await stage.web('three');
      const served = await stage.serve({ members: [{ backend: one }, { backend: three }] });
      await replace(stage, served, [
        { backend: one, weight: 3 },
        { backend: two, subnet_id: stage.api.subnetId },
      ]);
      expect(await spread(served, 8)).toEqual({ one: 6, two: 2 });
      await replace(stage, served, [{ backend: one }, { backend: two }]);
      expect(await spread(served, 8)).toEqual({ one: 4, two: 4 });
    },
  },
  {
    proves: ['BATCH member.backup', 'BATCH member.admin_state_up'],
    title: 'a batch makes members backups and disables them, and takes both back where it says nothing',
    async run(stage) {
      const backends = [await stage.web('one'), await stage.web('two'), await stage.web('three')] as const;
      const [one, two, three] = backends;
      const served = await stage.serve({ members: backends.map((backend) => ({ backend })) });
      await replace(stage, served, [
        { backend: one },
        { backend: two, backup: true },
        { backend: three, admin_state_up: false },
      ]);
      expect(await spread(served, 6)).toEqual({ one: 6 });
      await replace(
        stage,
        served,
        backends.map((backend) => ({ backend })),
      );
      expect(await spread(served, 6)).toEqual({ one: 2, two: 2, three: 2 });
    },
  },
  {
    proves: ['BATCH member?additive_only'],
    title: 'an additive batch leaves the members alone that it does not name',
    async run(stage) {
      const [one, two] = [await stage.web('one'), await stage.web('two')];
      const served = await stage.serve({ members: [{ backend: one }] });
      await replace(stage, served, [{ backend: two }], '?additive_only=true');
      expect(await spread(served, 4)).toEqual({ one: 2, two: 2 });
      await replace(stage, served, [{ backend: two }]);
      expect(await spread(served, 4)).toEqual({ two: 4 });
    },
  },
  {
    proves: ['BATCH member.monitor_port', 'BATCH member.monitor_address'],
    title: 'a batch says where members are checked',
    async run(stage) {
      const [one, two] = [await stage.web('one'), await stage.web('two')];
      const ill = await stage.web('ill', { statuses: new Map([['/check', 500]]), address: '127.0.43.1' });
      const served = await stage.serve({
        members: [{ backend: one }, { backend: two }],
        monitor: { url_path: '/check' },
      });
      await waitUntil('both serve', 10_000, async () => Object.keys(await spread(served, 4)).length === 2);
      await replace(stage, served, [
        { backend: one, monitor_address: ill.address, monitor_port: ill.port },
        { backend: two },
      ]);
      await waitUntil('one is down', 10_000, async () => (await spread(served, 4))['one'] === undefined);
      await replace(stage, served, [{ backend: one }, { backend: two }]);
      await waitUntil('one is up', 10_000, async () => (await spread(served, 4))['one'] === 2);
    },
  },
];
