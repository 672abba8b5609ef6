import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../../support/wait';
import { startDeaf } from '../backends/deaf';
import { type Dialogue, dial } from '../clients/stream';
import { ask } from '../clients/web';
import type { Row } from '../row';

/** How long and how much a listener bears. */
export const listenerLimitRows: readonly Row[] = [
  {
    proves: ['POST listener.timeout_client_data', 'PUT listener.timeout_client_data'],
    title: 'a silent client is parted with after the client timeout, not earlier',
    async run(stage) {
      const one = await stage.stream('one');
      const served = await stage.serve({
        listener: { protocol: 'TCP', timeout_client_data: 700 },
        members: [{ backend: one }],
      });
      const before = await dial(served);
      const began = Date.now();
      await before.ended;
      expect(Date.now() - began).toBeGreaterThanOrEqual(650);
      expect(Date.now() - began).toBeLessThan(5000);

      await stage.update(served, `listeners/${served.listenerId}`, { listener: { timeout_client_data: 30_000 } });
      const after = await dial(served);
      await Promise.race([after.ended, sleep(1500)]);
      expect(after.isEnded()).toBe(false);
      after.close();
    },
  },
  {
    proves: ['POST listener.timeout_member_data', 'PUT listener.timeout_member_data'],
    title: 'a member that thinks longer than the member timeout is not waited for',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ listener: { timeout_member_data: 500 }, members: [{ backend: one }] });
      expect((await ask({ ...served, path: '/?wait=1500' })).status).toBe(504);

      await stage.update(served, `listeners/${served.listenerId}`, { listener: { timeout_member_data: 10_000 } });
      expect((await ask({ ...served, path: '/?wait=1500' })).status).toBe(200);
    },
  },
  {
    proves: ['POST listener.timeout_member_connect', 'PUT listener.timeout_member_connect'],
    title: 'a member that accepts no connection is given up after the connect timeout',
    async run(stage) {
      const deaf = await startDeaf();
      stage.later(() => deaf.stop());
      const served = await stage.serve({ listener: { timeout_member_connect: 300 }, members: [{ backend: deaf }] });
      const began = Date.now();
      expect((await ask(served)).status).toBe(503);
      const took = Date.now() - began;
      expect(took).toBeGreaterThanOrEqual(300);
      expect(took).toBeLessThan(5000);

      // Tried again and again, so that the whole takes several times as long.
      await stage.update(served, `listeners/${served.listenerId}`, { listener: { timeout_member_connect: 30_000 } });
      const asked = ask(served).catch(() => undefined);
      expect(await Promise.race([asked, sleep(took + 1500, 'still waiting')])).toBe('still waiting');
      await deaf.stop();
      await asked;
    },
  },
  {
    proves: ['POST listener.connection_limit', 'PUT listener.connection_limit'],
    title: 'connections beyond the limit wait until others end, or the limit is raised',
    async run(stage) {
      const one = await stage.stream('one');
      const served = await stage.serve({
        listener: { protocol: 'TCP', connection_limit: 2 },
        members: [{ backend: one }],
      });
      const dialogues: Dialogue[] = [await dial(served), await dial(served)];
      for (const dialogue of dialogues) expect(await dialogue.line()).toBe('one');
      const third = await dial(served);
      const greeted = third.line();
      expect(await Promise.race([greeted, sleep(500, 'nothing')])).toBe('nothing');
      expect(one.open()).toBe(2);

      dialogues[0]?.close();
      expect(await greeted).toBe('one');
      dialogues[1]?.close();
      third.close();
      await waitUntil('all connections are over', 5000, () => one.open() === 0);

      await stage.update(served, `listeners/${served.listenerId}`, { listener: { connection_limit: 3 } });
      const more = [await dial(served), await dial(served), await dial(served)];
      for (const dialogue of more) expect(await dialogue.line()).toBe('one');
      const fourth = await dial(served);
      expect(await Promise.race([fourth.line().catch(() => 'ended'), sleep(500, 'nothing')])).toBe('nothing');
      for (const dialogue of [...more, fourth]) dialogue.close();
    },
  },
];
