import { type Client, type Commands, idsOf, wordsOf } from '../commands';
import { columnsOf, LIST_COLUMNS } from './columns';

/** L7 policies and their rules, from creation to deletion. The steps build on each other. */
export function tellOfL7(client: () => Client): void {
  describe('L7 policies and rules', () => {
    let member: Commands;
    let listener: string;
    let pool: string;
    beforeAll(async () => {
      member = client().as('member');
      await member.ok('loadbalancer create --name site --vip-subnet-id local');
      const create = 'loadbalancer listener create --name entry --protocol HTTP --protocol-port 8080 site';
      listener = String((await member.show(create))['id']);
      const target = 'loadbalancer pool create --name target --loadbalancer site --protocol HTTP';
      pool = String((await member.show(`${target} --lb-algorithm ROUND_ROBIN`))['id']);
    });
    afterAll(() => member.ok('loadbalancer delete --cascade --wait site'));

    it('creates policies of every action, in their places', async () => {
      const create = 'loadbalancer l7policy create entry --name';
      const toPool = await member.show(
        `${create} to-pool --action REDIRECT_TO_POOL --redirect-pool target --description text --tag p --wait`,
      );
      expect(toPool).toMatchObject({
        listener_id: listener,
        action: 'REDIRECT_TO_POOL',
        redirect_pool_id: pool,
        position: 1,
        description: 'text',
        provisioning_status: 'ACTIVE',
        operating_status: 'ONLINE',
        redirect_http_code: null,
      });
      const toUrl = `${create} to-url --action REDIRECT_TO_URL --redirect-url https://e.example/`;
      expect(await member.show(`${toUrl} --redirect-http-code 301`)).toMatchObject({
        redirect_url: 'https://e.example/',
        redirect_http_code: 301,
        position: 2,
      });
      const toPrefix = `${create} to-prefix --action REDIRECT_PREFIX --redirect-prefix https://f.example`;
      expect(await member.show(`${toPrefix} --position 1`)).toMatchObject({
        redirect_prefix: 'https://f.example',
        redirect_http_code: 302,
        position: 1,
      });
      expect(await member.show(`${create} none --action REJECT --disable`)).toMatchObject({
        action: 'REJECT',
        admin_state_up: false,
        position: 4,
      });
    });

    it('lists them with their places', async () => {
      const rows = await member.list('loadbalancer l7policy list --listener entry');
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.l7policy);
      expect(Object.fromEntries(rows.map((row) => [row['name'], row['position']]))).toEqual({
        'to-prefix': 1,
        'to-pool': 2,
        'to-url': 3,
        none: 4,
      });
      expect(await member.list('loadbalancer l7policy list --tags p')).toEqual([
        expect.objectContaining({ name: 'to-pool' }),
      ]);
      expect(idsOf((await member.active('loadbalancer listener show entry'))['l7policies'])).toHaveLength(4);
    });

    it('creates, shows and lists rules', async () => {
      const created = await member.show(
        'loadbalancer l7rule create --type HEADER --compare-type EQUAL_TO --key X-A --value b --invert --tag r to-pool',
      );
      expect(created).toMatchObject({
        type: 'HEADER',
        compare_type: 'EQUAL_TO',
        key: 'X-A',
        value: 'b',
        invert: true,
        provisioning_status: 'PENDING_CREATE',
      });
      const path = 'loadbalancer l7rule create --type PATH --compare-type STARTS_WITH --value /api to-pool';
      expect(await member.show(path)).toMatchObject({ key: null, invert: false });
      const rows = await member.list('loadbalancer l7rule list to-pool');
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.l7rule);
      expect(rows.map(({ type }) => type)).toEqual(['HEADER', 'PATH']);
      expect(await member.active(`loadbalancer l7rule show to-pool ${created['id']}`)).toMatchObject({ value: 'b' });
      expect(idsOf((await member.active('loadbalancer l7policy show to-pool'))['rules'])).toEqual(
        rows.map((row) => row['id']),
      );
    });

    it('says what is wrong with a policy or a rule', async () => {
      const refused = (line: string) => member.refused(`loadbalancer ${line}`);
      expect(await refused('l7policy create --action REDIRECT_TO_URL --redirect-url nonsense entry')).toMatch(
        /\(HTTP 400\)$/,
      );
      expect(await refused('l7rule create --type PATH --compare-type REGEX --value ( to-pool')).toMatch(
        /^Error parsing L7Rule: Unable to parse regular expression: .* \(HTTP 400\)$/,
      );
      expect(await refused('l7rule create --type FILE_TYPE --compare-type CONTAINS --value x to-pool')).toBe(
        'Error parsing L7Rule: Invalid L7 Rule: invalid comparison type for rule type (HTTP 400)',
      );
      expect(await refused('pool delete target')).toMatch(
        /^Pool [0-9a-f-]{36} is in use by L7 policy .* \(HTTP 409\)$/,
      );
      expect(await refused('l7policy show nowhere')).toBe('Unable to locate nowhere in l7policies');
      expect(await refused('l7rule show to-pool nowhere')).toBe(
        'One or more arguments are either duplicate or invalid (HTTP 400)',
      );
    });

    it('changes a rule, and takes the changes back', async () => {
      const [rule] = await member.list('loadbalancer l7rule list to-pool');
      const show = `loadbalancer l7rule show to-pool ${rule?.['id']}`;
      await member.ok(`loadbalancer l7rule set --type COOKIE --key sid --value c --tag s to-pool ${rule?.['id']}`);
      expect(await member.active(show)).toMatchObject({ type: 'COOKIE', key: 'sid', value: 'c', invert: true });
      await member.ok(`loadbalancer l7rule unset --invert --all-tag to-pool ${rule?.['id']}`);
      const reset = await member.active(show);
      expect(reset).toMatchObject({ invert: false });
      expect(wordsOf(reset['tags'])).toEqual([]);
    });

    it('changes a policy, and takes the changes back', async () => {
      await member.ok(
        'loadbalancer l7policy set --action REJECT --name closed --position 4 --description other to-pool',
      );
      expect(await member.active('loadbalancer l7policy show closed')).toMatchObject({
        action: 'REJECT',
        redirect_pool_id: null,
        position: 4,
        description: 'other',
      });
      await member.ok('loadbalancer l7policy unset --description --all-tag closed');
      const reset = await member.active('loadbalancer l7policy show closed');
      expect(reset).toMatchObject({ description: '' });
      expect(wordsOf(reset['tags'])).toEqual([]);
    });

    it('deletes a rule, then a policy with the rest of its rules', async () => {
      const [rule] = await member.list('loadbalancer l7rule list closed');
      await member.ok(`loadbalancer l7rule delete closed ${rule?.['id']}`);
      await member.untilListed('loadbalancer l7rule list closed', 1);
      await member.ok('loadbalancer l7policy delete closed');
      const rows = await member.untilListed('loadbalancer l7policy list', 3);
      expect(rows.map(({ position }) => position).sort()).toEqual([1, 2, 3]);
    });
  });
}
