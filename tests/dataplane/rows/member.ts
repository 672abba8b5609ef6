import { waitUntil } from '../../support/wait';
import { dial } from '../clients/stream';
import { ask, spread } from '../clients/web';
import type { Row } from '../row';

/** Which members get traffic, and how much. */
export const memberRows: readonly Row[] = [
  {
    proves: ['POST member.address', 'POST member.protocol_port', 'POST member.subnet_id'],
    title: "traffic goes to the member's address and port, whatever subnet it is said to be in",
    async run(stage) {
      const one = await stage.web('one', { address: '127.0.40.1' });
      const two = await stage.web('two', { address: '127.0.40.2' });
      const served = await stage.serve({
        members: [{ backend: one }, { backend: two, subnet_id: stage.api.subnetId }],
      });
      expect(await spread(served, 4)).toEqual({ one: 2, two: 2 });
    },
  },
  {
    proves: ['POST member.weight', 'PUT member.weight'],
    title: 'members get their share by weight, also by a changed one',
    async run(stage) {
      const [one, two] = [await stage.web('one'), await stage.web('two')];
      const served = await stage.serve({ members: [{ backend: one, weight: 3 }, { backend: two }] });
      expect(await spread(served, 8)).toEqual({ one: 6, two: 2 });
      const path = `pools/${served.poolId}/members/${served.memberIds[1]}`;
      await stage.update(served, path, { member: { weight: 9 } });
      expect(await spread(served, 12)).toEqual({ one: 3, two: 9 });
    },
  },
  {
    proves: ['PUT member.weight'],
    title: 'a member of weight 0 finishes its connections and gets no new ones',
    async run(stage) {
      const [one, two] = [await stage.stream('one'), await stage.stream('two')];
      const served = await stage.serve({
        listener: { protocol: 'TCP' },
        members: [{ backend: one }, { backend: two }],
      });
      const dialogues = [await dial(served), await dial(served)];
      const names = [await dialogues[0]?.line(), await dialogues[1]?.line()];
      await stage.update(served, `pools/${served.poolId}/members/${served.memberIds[0]}`, { member: { weight: 0 } });

      const kept = dialogues[names.indexOf('one')];
      kept?.send('still here\n');
      expect(await kept?.line()).toBe('still here');
      for (let turn = 0; turn < 4; turn += 1) {
        const dialogue = await dial(served);
        expect(await dialogue.line()).toBe('two');
        dialogue.close();
      }
      for (const dialogue of dialogues) dialogue.close();
    },
  },
  {
    proves: ['POST member.backup', 'PUT member.backup', 'PUT member.admin_state_up'],
    title: 'a backup member serves only while no other can, until it is a backup no more',
    async run(stage) {
      const [one, two] = [await stage.web('one'), await stage.web('two')];
      const served = await stage.serve({ members: [{ backend: one }, { backend: two, backup: true }] });
      const pathOf = (index: number) => `pools/${served.poolId}/members/${served.memberIds[index]}`;
      expect(await spread(served, 4)).toEqual({ one: 4 });
      await stage.update(served, pathOf(0), { member: { admin_state_up: false } });
      expect(await spread(served, 4)).toEqual({ two: 4 });
      await stage.update(served, pathOf(0), { member: { admin_state_up: true } });
      expect(await spread(served, 4)).toEqual({ one: 4 });
      await stage.update(served, pathOf(1), { member: { backup: false } });
      expect(await spread(served, 4)).toEqual({ one: 2, two: 2 });
    },
  },
  {
    proves: ['POST member.admin_state_up', 'PUT member.admin_state_up'],
    title: 'a disabled member gets no traffic, until it is enabled',
    async run(stage) {
      const [one, two] = [await stage.web('one'), await stage.web('two')];
      const served = await stage.serve({ members: [{ backend: one }, { backend: two, admin_state_up: false }] });
      const path = `pools/${served.poolId}/members/${served.memberIds[1]}`;
      expect(await spread(served, 4)).toEqual({ one: 4 });
      await stage.update(served, path, { member: { admin_state_up: true } });
      expect(await spread(served, 4)).toEqual({ one: 2, two: 2 });
      await stage.update(served, path, { member: { admin_state_up: false } });
      expect(await spread(served, 4)).toEqual({ one: 4 });
    },
  },
  {
    proves: ['DELETE member'],
    title: 'a deleted member gets no traffic',
    async run(stage) {
      const [one, two] = [await stage.web('one'), await stage.web('two')];
      const served = await stage.serve({ members: [{ backend: one }, { backend: two }] });
      expect(await spread(served, 4)).toEqual({ one: 2, two: 2 });
      await stage.remove(served, `pools/${served.poolId}/members/${served.memberIds[0]}`);
      expect(await spread(served, 4)).toEqual({ two: 4 });
    },
  },
  {
    proves: ['POST member.monitor_port', 'PUT member.monitor_port'],
    title: 'a member is checked at its monitor port instead of its own',
    async run(stage) {
      const one = await stage.web('one', { statuses: new Map([['/', 200]]) });
      const [well, ill] = [await stage.web('well'), await stage.web('ill', { statuses: new Map([['/check', 500]]) })];
      const served = await stage.serve({
        members: [{ backend: one, monitor_port: ill.port }],
        monitor: { url_path: '/check' },
      });
      await waitUntil('the member is down', 10_000, async () => (await ask(served)).status === 503);
      const path = `pools/${served.poolId}/members/${served.memberIds[0]}`;
      await stage.update(served, path, { member: { monitor_port: well.port } });
      await waitUntil('the member is up', 10_000, async () => (await ask(served)).status === 200);
      expect(well.arrivals.some(({ url }) => url === '/check')).toBe(true);
      expect(one.arrivals.some(({ url }) => url === '/check')).toBe(false);
    },
  },
  {
    proves: ['POST member.monitor_address', 'PUT member.monitor_address'],
    title: 'a member is checked at its monitor address instead of its own',
    async run(stage) {
      const one = await stage.stream('one');
      // Nobody listens at this address and port.
      const served = await stage.serve({
        listener: { protocol: 'TCP' },
        members: [{ backend: one, monitor_address: '127.0.41.1' }],
        monitor: { type: 'TCP' },
      });
      const statusOf = async () => {
        const path = `/pools/${served.poolId}/members/${served.memberIds[0]}`;
        return (await stage.api.show(path, 'member'))['operating_status'];
      };
      await waitUntil('the member is down', 10_000, async () => (await statusOf()) === 'ERROR');
      await expect(dial(served).then((dialogue) => dialogue.line())).rejects.toThrow();
      const path = `pools/${served.poolId}/members/${served.memberIds[0]}`;
      await stage.update(served, path, { member: { monitor_address: '127.0.0.1' } });
      await waitUntil('the member is up', 10_000, async () => (await statusOf()) === 'ONLINE');
      const dialogue = await dial(served);
      expect(await dialogue.line()).toBe('one');
      dialogue.close();
    },
  },
];
