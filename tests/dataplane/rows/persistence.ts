import { type Asking, ask, spread } from '../clients/web';
import type { Row } from '../row';
import type { Stage } from '../stage';

const CLIENTS = Array.from({ length: 24 }, (_, index) => `127.0.30.${index + 1}`);

async function threeMembers(stage: Stage) {
  return [await stage.web('one'), await stage.web('two'), await stage.web('three')].map((backend) => ({ backend }));
}

/** Asks once without a cookie; gives who answered and the cookie to be sent from then on. */
async function firstVisit(asking: Asking): Promise<{ backend: string; cookie: string }> {
  const answer = await ask(asking);
  return { backend: answer.arrival().backend, cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '' };
}

/** Session persistence of pools of requests. */
export const persistenceRows: readonly Row[] = [
  {
    proves: ['POST pool.session_persistence', 'POST session_persistence.type', 'session_persistence.type=SOURCE_IP'],
    title: 'SOURCE_IP keeps each client at one member',
    async run(stage) {
      const served = await stage.serve({
        pool: { session_persistence: { type: 'SOURCE_IP' } },
        members: await threeMembers(stage),
      });
      const chosen = new Set<string>();
      for (const from of CLIENTS) {
        const seen = Object.keys(await spread({ ...served, from }, 3));
        expect(seen).toHaveLength(1);
        chosen.add(seen.join());
      }
      expect(chosen.size).toBe(3);
    },
  },
  {
    proves: ['session_persistence.type=HTTP_COOKIE'],
    title: 'HTTP_COOKIE gives the client a cookie and keeps it where the cookie says',
    async run(stage) {
      const served = await stage.serve({
        pool: { session_persistence: { type: 'HTTP_COOKIE' } },
        members: await threeMembers(stage),
      });
      const visits = [await firstVisit(served), await firstVisit(served), await firstVisit(served)];
      expect(visits.map(({ backend }) => backend).sort()).toEqual(['one', 'three', 'two']);
      for (const { backend, cookie } of visits) {
        expect(cookie).toMatch(/^[\w-]+=.+/);
        expect(await spread({ ...served, headers: { cookie } }, 4)).toEqual({ [backend]: 4 });
      }
    },
  },
  {
    proves: ['session_persistence.type=APP_COOKIE', 'POST session_persistence.cookie_name'],
    title: "APP_COOKIE keeps a client where the application's cookie was given to it",
    async run(stage) {
      const served = await stage.serve({
        pool: { session_persistence: { type: 'APP_COOKIE', cookie_name: 'JSESSIONID' } },
        members: await threeMembers(stage),
      });
      const visit = (value: string) => firstVisit({ ...served, path: `/?cookie=JSESSIONID=${value}` });
      const visits = [await visit('a'), await visit('b'), await visit('c')];
      expect(visits.map(({ backend }) => backend).sort()).toEqual(['one', 'three', 'two']);
      for (const { backend, cookie } of visits) {
        expect(await spread({ ...served, headers: { cookie } }, 4)).toEqual({ [backend]: 4 });
      }
      const { cookie } = await firstVisit({ ...served, path: '/?cookie=OTHER=d' });
      expect(Object.keys(await spread({ ...served, headers: { cookie } }, 6))).toHaveLength(3);
    },
  },
  {
    proves: ['PUT pool.session_persistence', 'PUT session_persistence.type', 'PUT session_persistence.cookie_name'],
    title: 'persistence follows changes of its type and cookie, and ends when it is removed',
    async run(stage) {
      const served = await stage.serve({
        pool: { session_persistence: { type: 'SOURCE_IP' } },
        members: await threeMembers(stage),
      });
      const change = (session_persistence: object | null) =>
        stage.update(served, `pools/${served.poolId}`, { pool: { session_persistence } });
      const seenWith = async (cookie: string) => Object.keys(await spread({ ...served, headers: { cookie } }, 6));
      expect(await seenWith('none=1')).toHaveLength(1);

      await change({ type: 'APP_COOKIE', cookie_name: 'FIRST' });
      const first = await firstVisit({ ...served, path: '/?cookie=FIRST=1' });
      expect(await seenWith(first.cookie)).toEqual([first.backend]);
      await change({ cookie_name: 'SECOND' });
      const second = await firstVisit({ ...served, path: '/?cookie=SECOND=1' });
      expect(await seenWith(second.cookie)).toEqual([second.backend]);
      await change(null);
      expect(await seenWith(second.cookie)).toHaveLength(3);
    },
  },
];
