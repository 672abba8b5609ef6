import { createHash } from 'node:crypto';
import type { Schemas } from '../../../api/openapi/schemas';
import { ask } from '../clients/web';
import { inTls } from '../keys';
import { addPolicy, type RuleGiven } from '../policies';
import type { Row } from '../row';
import type { Stage } from '../stage';
import { clientsOf, serveTls } from '../terminated';

type Compare = NonNullable<Schemas['L7RuleCreate']['compare_type']>;

const HEADERS = [
  'X-SSL-Client-Verify',
  'X-SSL-Client-Has-Cert',
  'X-SSL-Client-DN',
  'X-SSL-Client-CN',
  'X-SSL-Issuer',
  'X-SSL-Client-SHA1',
  'X-SSL-Client-Not-Before',
  'X-SSL-Client-Not-After',
] as const;

/** A listener that wants certificates, and a client that has one. */
async function withClient(stage: Stage, fields: Partial<Schemas['ListenerCreate']> = {}) {
  const { authority, client } = await clientsOf();
  const client_ca_tls_container_ref = await stage.keys.secret(authority.pem);
  const wants = { client_authentication: 'OPTIONAL', client_ca_tls_container_ref } as const;
  const served = await serveTls(stage, { ...wants, ...fields }, [{ backend: await stage.web('one') }]);
  return { client, served };
}

/** Both kinds of client: with a certificate and without. */
async function rejectedOf({ client, served }: Awaited<ReturnType<typeof withClient>>): Promise<[boolean, boolean]> {
  const rejected = async (tls: object) => (await ask({ ...served, tls })).status === 403;
  return [await rejected(inTls(client)), await rejected({})];
}

/** What is done with what TLS tells of clients. */
export const tlsClientRows: readonly Row[] = [
  {
    proves: HEADERS.map((name) => `listener.insert_headers=${name}` as const),
    title: 'members are told of client certificates, each header by itself',
    async run(stage) {
      const { client, served } = await withClient(stage, {
        insert_headers: Object.fromEntries(HEADERS.map((name) => [name, 'true'])),
      });
      const seen = async (tls: object) => {
        const { headers } = (await ask({ ...served, tls, headers: { 'X-SSL-Client-CN': 'forged' } })).arrival();
        return Object.fromEntries(HEADERS.map((name) => [name, headers[name.toLowerCase()]]));
      };
      const all = {
        'X-SSL-Client-Verify': '0',
        'X-SSL-Client-Has-Cert': '1',
        'X-SSL-Client-DN': '/CN=client one',
        'X-SSL-Client-CN': 'client one',
        'X-SSL-Issuer': '/CN=clients',
        'X-SSL-Client-SHA1': createHash('sha1').update(client.der).digest('hex').toUpperCase(),
        'X-SSL-Client-Not-Before': '260101000000Z',
        'X-SSL-Client-Not-After': '400101000000Z',
      };
      expect(await seen(inTls(client))).toEqual(all);
      expect(await seen({})).toMatchObject({ 'X-SSL-Client-Has-Cert': '0', 'X-SSL-Client-CN': '' });
      for (const name of HEADERS.filter((header) => header !== 'X-SSL-Client-CN')) {
        const body = { listener: { insert_headers: { [name]: 'true' } } };
        await stage.update(served, `listeners/${served.listenerId}`, body);
        const none = Object.fromEntries(HEADERS.map((header) => [header, undefined]));
        const expected = { ...none, 'X-SSL-Client-CN': 'forged', [name]: all[name] };
        expect(await seen(inTls(client))).toEqual(expected);
      }
    },
    timeout: 40_000,
  },
  {
    proves: ['l7rule.type=SSL_CONN_HAS_CERT'],
    title: 'a rule of type SSL_CONN_HAS_CERT matches clients that show a certificate',
    async run(stage) {
      const scene = await withClient(stage);
      const rule: RuleGiven = { type: 'SSL_CONN_HAS_CERT', compare_type: 'EQUAL_TO', value: 'True' };
      const { policy, rules } = await addPolicy(stage, scene.served, { action: 'REJECT', rules: [rule] });
      expect(await rejectedOf(scene)).toEqual([true, false]);
      await stage.update(scene.served, `l7policies/${policy}/rules/${rules[0]}`, { rule: { invert: true } });
      expect(await rejectedOf(scene)).toEqual([false, true]);
    },
  },
  {
    proves: ['l7rule.type=SSL_VERIFY_RESULT'],
    title: 'a rule of type SSL_VERIFY_RESULT matches by the result of the verification',
    async run(stage) {
      const scene = await withClient(stage);
      const rule: RuleGiven = { type: 'SSL_VERIFY_RESULT', compare_type: 'EQUAL_TO', value: '0' };
      const { policy, rules } = await addPolicy(stage, scene.served, { action: 'REJECT', rules: [rule] });
      expect((await rejectedOf(scene))[0]).toBe(true);
      await stage.update(scene.served, `l7policies/${policy}/rules/${rules[0]}`, { rule: { value: '20' } });
      expect(await rejectedOf(scene)).toEqual([false, false]);
    },
  },
  {
    proves: ['l7rule.type=SSL_DN_FIELD'],
    title: "a rule of type SSL_DN_FIELD compares a field of the client's name",
    async run(stage) {
      const scene = await withClient(stage);
      const rule: RuleGiven = { type: 'SSL_DN_FIELD', key: 'CN', compare_type: 'EQUAL_TO', value: 'client one' };
      const { policy, rules } = await addPolicy(stage, scene.served, { action: 'REJECT', rules: [rule] });
      expect(await rejectedOf(scene)).toEqual([true, false]);
      const cases: [Compare, string, boolean][] = [
        ['EQUAL_TO', 'client', false],
        ['STARTS_WITH', 'client', true],
        ['ENDS_WITH', 'one', true],
        ['CONTAINS', 'ent o', true],
        ['REGEX', '^cl.* o', true],
        ['REGEX', '^one', false],
      ];
      for (const [compare_type, value, matches] of cases) {
        const body = { rule: { compare_type, value } };
        await stage.update(scene.served, `l7policies/${policy}/rules/${rules[0]}`, body);
        expect([compare_type, value, ...(await rejectedOf(scene))]).toEqual([compare_type, value, matches, false]);
      }
    },
    timeout: 40_000,
  },
];
