import { ask } from '../clients/web';
import type { Row } from '../row';

/** What each header says of a client at 127.0.9.9, by name. */
const PLAIN = {
  'X-Forwarded-For': '127.0.9.9',
  'X-Forwarded-Port': '8080',
  'X-Forwarded-Proto': 'http',
  'X-Forwarded-IP': '127.0.9.9',
  'X-Client-IP': '127.0.9.9',
  'X-Real-IP': '127.0.9.9',
} as const;

/** What a listener tells its members about the client. */
export const insertHeaderRows: readonly Row[] = [
  {
    proves: [
      'POST listener.insert_headers',
      'PUT listener.insert_headers',
      ...Object.keys(PLAIN).map((name) => `listener.insert_headers=${name}` as const),
    ],
    title: 'each header that is asked for reaches the member, whatever the client says, and no other',
    async run(stage) {
      const one = await stage.web('one');
      const names = Object.keys(PLAIN);
      const served = await stage.serve({
        listener: { insert_headers: Object.fromEntries(names.map((name) => [name, 'true'])) },
        members: [{ backend: one }],
      });
      const received = async (headers: Record<string, string> = {}) => {
        const { headers: seen } = (await ask({ ...served, from: '127.0.9.9', headers })).arrival();
        return Object.fromEntries(names.map((name) => [name, seen[name.toLowerCase()]]));
      };
      expect(await received()).toEqual(PLAIN);
      expect(await received({ 'X-Real-IP': '8.8.8.8', 'X-Forwarded-Proto': 'https' })).toEqual(PLAIN);
      expect((await received({ 'X-Forwarded-For': '10.0.0.1' }))['X-Forwarded-For']).toBe('10.0.0.1, 127.0.9.9');

      const nothing = Object.fromEntries(names.map((name) => [name, undefined]));
      for (const name of names) {
        const body = { listener: { insert_headers: { [name]: 'true' } } };
        await stage.update(served, `listeners/${served.listenerId}`, body);
        expect(await received()).toEqual({ ...nothing, [name]: PLAIN[name as keyof typeof PLAIN] });
      }
      const off = { listener: { insert_headers: { 'X-Forwarded-For': 'false' } } };
      await stage.update(served, `listeners/${served.listenerId}`, off);
      expect(await received()).toEqual(nothing);
    },
  },
];
