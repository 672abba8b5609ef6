import { type Client, type Commands, idsOf, wordsOf } from '../commands';
import { columnsOf, LIST_COLUMNS } from './columns';

/** What a load balancer is made of: listener, pool, members and monitor, from creation to deletion. The steps build on each other. */
export function tellOfTraffic(client: () => Client): void {
  describe('listeners, pools, members and health monitors', () => {
    let member: Commands;
    let id: string;
    beforeAll(async () => {
      member = client().as('member');
      id = String((await member.show('loadbalancer create --name web --vip-subnet-id local'))['id']);
    });
    afterAll(() => member.ok('loadbalancer delete --cascade --wait web'));

    it('creates, shows and lists listeners', async () => {
      const created = await member.show(
        'loadbalancer listener create --name http --description text --protocol HTTP --protocol-port 8080 --connection-limit 100 --insert-headers X-Forwarded-For=true,X-Forwarded-Port=true --timeout-client-data 1000 --timeout-member-connect 2000 --timeout-member-data 3000 --timeout-tcp-inspect 4 --allowed-cidr 127.0.0.0/8 --allowed-cidr 10.0.0.0/8 --tag front --wait web',
      );
      expect(created).toMatchObject({
        name: 'http',
        description: 'text',
        protocol: 'HTTP',
        protocol_port: 8080,
        connection_limit: 100,
        timeout_client_data: 1000,
        timeout_member_connect: 2000,
        timeout_member_data: 3000,
        timeout_tcp_inspect: 4,
        default_pool_id: null,
        provisioning_status: 'ACTIVE',
      });
      expect(idsOf(created['loadbalancers'])).toEqual([id]);
      expect(wordsOf(created['tags'])).toEqual(['front']);
      expect(wordsOf(created['allowed_cidrs'])).toEqual(['127.0.0.0/8', '10.0.0.0/8']);
      expect(JSON.stringify(created['insert_headers'])).toContain('X-Forwarded-Port');

      const rows = await member.list('loadbalancer listener list --loadbalancer web --name http --tags front');
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.listener);
      expect(rows).toEqual([expect.objectContaining({ id: created['id'], protocol_port: 8080, admin_state_up: true })]);
      expect(await member.list('loadbalancer listener list --disable')).toEqual([]);
    });

    it('says what is wrong with a listener', async () => {
      const refused = (line: string) => member.refused(`loadbalancer listener ${line}`);
      expect(await refused('create --protocol TCP --protocol-port 8080 web')).toBe(
        'Another Listener on this Load Balancer is already using protocol HTTP and protocol_port 8080 (HTTP 409)',
      );
      expect(await refused('create --protocol UDP --protocol-port 53 --insert-headers X-Forwarded-For=true web')).toBe(
        'insert-headers is not a valid option for a UDP protocol listener. (HTTP 400)',
      );
      expect(await refused('create --protocol TERMINATED_HTTPS --protocol-port 8443 web')).toBe(
        'Validation failure: An SNI or default certificate container reference must be provided for TERMINATED_HTTPS protocol listeners. (HTTP 400)',
      );
      expect(await refused('create --protocol HTTP --protocol-port 81 --allowed-cidr 2001:db8::/32 web')).toMatch(
        /^CIDR 2001:db8::\/32 IP version incompatible with all VIPs .* \(HTTP 400\)$|^Validation failure: CIDR 2001:db8::\/32 IP version incompatible with all VIPs .* \(HTTP 400\)$/,
      );
      expect(await refused('show nowhere')).toBe('Unable to locate nowhere in listeners');
    });

    it('creates, shows and lists pools', async () => {
      const created = await member.show(
        'loadbalancer pool create --name back --description text --listener http --protocol HTTP --lb-algorithm ROUND_ROBIN --session-persistence type=APP_COOKIE,cookie_name=sid --tag tier --wait',
      );
      expect(created).toMatchObject({
        name: 'back',
        protocol: 'HTTP',
        lb_algorithm: 'ROUND_ROBIN',
        tls_enabled: false,
      });
      expect(JSON.stringify(created['session_persistence'])).toMatch(/APP_COOKIE.*sid/s);
      expect(idsOf(created['loadbalancers'])).toEqual([id]);
      expect(await member.show('loadbalancer listener show http')).toMatchObject({ default_pool_id: created['id'] });

      const spare = 'loadbalancer pool create --name spare --loadbalancer web --protocol HTTP';
      await member.ok(`${spare} --lb-algorithm LEAST_CONNECTIONS --disable`);
      const rows = await member.list('loadbalancer pool list --loadbalancer web');
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.pool);
      expect(rows.map((row) => [row['name'], row['lb_algorithm'], row['admin_state_up']])).toEqual([
        ['back', 'ROUND_ROBIN', true],
        ['spare', 'LEAST_CONNECTIONS', false],
      ]);
    });

    it('says what is wrong with a pool', async () => {
      const refused = (line: string) => member.refused(`loadbalancer pool create --lb-algorithm ROUND_ROBIN ${line}`);
      expect(await refused('--listener http --protocol HTTP')).toBe(
        'This listener already has a default pool (HTTP 409)',
      );
      expect(await refused('--loadbalancer web --protocol HTTP --session-persistence type=APP_COOKIE')).toBe(
        'Validation failure: Field "cookie_name" must be specified when using the "APP_COOKIE" session persistence type. (HTTP 400)',
      );
      await member.ok('loadbalancer listener create --name tcp --protocol TCP --protocol-port 8081 web');
      expect(await refused('--listener tcp --protocol UDP')).toBe(
        "Validation failure: The pool protocol 'UDP' is invalid while the listener protocol is 'TCP'. (HTTP 400)",
      );
      expect(await member.refused('loadbalancer pool show nowhere')).toBe('Unable to locate nowhere in pools');
    });

    it('creates, shows and lists members', async () => {
      const created = await member.show(
        'loadbalancer member create --name one --address 127.0.0.1 --protocol-port 9001 --weight 5 --monitor-port 9002 --monitor-address 127.0.0.2 --enable-backup --tag m --wait back',
      );
      expect(created).toMatchObject({
        name: 'one',
        address: '127.0.0.1',
        protocol_port: 9001,
        weight: 5,
        monitor_port: 9002,
        monitor_address: '127.0.0.2',
        backup: true,
        operating_status: 'NO_MONITOR',
        provisioning_status: 'ACTIVE',
      });
      await member.ok('loadbalancer member create --name two --address 127.0.0.1 --protocol-port 9003 --disable back');
      const rows = await member.list('loadbalancer member list back');
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.member);
      expect(rows.map((row) => [row['name'], row['protocol_port'], row['weight']])).toEqual([
        ['one', 9001, 5],
        ['two', 9003, 1],
      ]);
      expect(await member.active('loadbalancer member show back two')).toMatchObject({
        admin_state_up: false,
        backup: false,
        operating_status: 'OFFLINE',
      });
    });

    it('says what is wrong with a member', async () => {
      const refused = (line: string) => member.refused(`loadbalancer member ${line}`);
      expect(await refused('create --address 127.0.0.1 --protocol-port 9001 back')).toBe(
        'Another member on this pool is already using ip 127.0.0.1 on protocol_port 9001 (HTTP 409)',
      );
      expect(await refused('create --address nonsense --protocol-port 9001 back')).toBe(
        "Invalid input for field/attribute address. Value: 'nonsense'. Value should be IPv4 or IPv6 format (HTTP 400)",
      );
      expect(await refused('create --address 169.254.169.254 --protocol-port 80 back')).toBe(
        '169.254.169.254 is not a valid option for member address (HTTP 400)',
      );
      expect(await refused('show back nobody')).toBe('Unable to locate nobody in members');
    });

    it('creates, shows and lists health monitors', async () => {
      const created = await member.show(
        'loadbalancer healthmonitor create --name check --delay 5 --timeout 3 --max-retries 2 --max-retries-down 4 --type HTTP --url-path /x --expected-codes 200-204 --http-method HEAD --http-version 1.1 --domain-name a.example --tag h --wait back',
      );
      expect(created).toMatchObject({
        name: 'check',
        delay: 5,
        timeout: 3,
        max_retries: 2,
        max_retries_down: 4,
        type: 'HTTP',
        url_path: '/x',
        expected_codes: '200-204',
        http_method: 'HEAD',
        http_version: 1.1,
        domain_name: 'a.example',
        provisioning_status: 'ACTIVE',
        operating_status: 'ONLINE',
      });
      const rows = await member.list('loadbalancer healthmonitor list --tags h');
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.healthmonitor);
      expect(rows).toEqual([expect.objectContaining({ id: created['id'], type: 'HTTP' })]);
      expect(await member.show('loadbalancer pool show back')).toMatchObject({ healthmonitor_id: created['id'] });
    });

    it('says what is wrong with a health monitor', async () => {
      const refused = (line: string) => member.refused(`loadbalancer healthmonitor create ${line}`);
      expect(await refused('--delay 5 --timeout 3 --max-retries 2 --type TCP back')).toBe(
        'This pool already has a health monitor (HTTP 409)',
      );
      expect(await refused('--delay 5 --timeout 3 --max-retries 2 --type HTTP --expected-codes often spare')).toMatch(
        /\(HTTP 400\)$/,
      );
      expect(await refused('--delay 5 --timeout 3 --max-retries 2 --type UDP-CONNECT spare')).toMatch(/\(HTTP 400\)$/);
      expect(await member.refused('loadbalancer healthmonitor show nowhere')).toBe(
        'Unable to locate nowhere in healthmonitors',
      );
    });

    it('shows the tree of all of them and the counters of a listener', async () => {
      const { loadbalancer } = JSON.parse(await member.ok('loadbalancer status show web'));
      expect(loadbalancer.listeners.map(({ name }: { name: string }) => name)).toEqual(['http', 'tcp']);
      const [pool] = loadbalancer.listeners[0].pools;
      expect(pool).toMatchObject({ name: 'back', health_monitor: { name: 'check', type: 'HTTP' } });
      expect(
        pool.members.map(({ address, protocol_port }: Record<string, unknown>) => [address, protocol_port]),
      ).toEqual([
        ['127.0.0.1', 9001],
        ['127.0.0.1', 9003],
      ]);
      expect(await member.show('loadbalancer listener stats show http')).toEqual({
        active_connections: 0,
        bytes_in: 0,
        bytes_out: 0,
        request_errors: 0,
        total_connections: 0,
      });
    });

    it('changes a listener, and takes the changes back', async () => {
      await member.ok(
        'loadbalancer listener set --description other --connection-limit 7 --default-pool spare --tag b http',
      );
      const spare = await member.show('loadbalancer pool show spare');
      expect(await member.active('loadbalancer listener show http')).toMatchObject({
        description: 'other',
        connection_limit: 7,
        default_pool_id: spare['id'],
      });
      await member.ok(
        'loadbalancer listener unset --description --connection-limit --default-pool --insert-headers --timeout-client-data --timeout-member-connect --timeout-member-data --timeout-tcp-inspect --allowed-cidrs --all-tag http',
      );
      const reset = await member.active('loadbalancer listener show http');
      expect(reset).toMatchObject({
        name: 'http',
        description: '',
        connection_limit: -1,
        default_pool_id: null,
        allowed_cidrs: null,
        timeout_client_data: 50_000,
        timeout_member_connect: 5_000,
        timeout_member_data: 50_000,
        timeout_tcp_inspect: 0,
      });
      expect(wordsOf(reset['tags'])).toEqual([]);
    });

    it('changes a pool, and takes the changes back', async () => {
      await member.ok(
        'loadbalancer pool set --name front --lb-algorithm SOURCE_IP --session-persistence type=SOURCE_IP back',
      );
      const changed = await member.active('loadbalancer pool show front');
      expect(changed).toMatchObject({ lb_algorithm: 'SOURCE_IP' });
      expect(JSON.stringify(changed['session_persistence'])).toContain('SOURCE_IP');
      await member.ok('loadbalancer pool unset --description --session-persistence --all-tag front');
      const reset = await member.active('loadbalancer pool show front');
      expect(reset).toMatchObject({ description: '', session_persistence: null });
      await member.ok('loadbalancer pool set --name back front');
    });

    it('changes a member, and takes the changes back', async () => {
      await member.ok('loadbalancer member set --weight 7 --disable --disable-backup --tag n back one');
      expect(await member.active('loadbalancer member show back one')).toMatchObject({
        weight: 7,
        admin_state_up: false,
        backup: false,
      });
      await member.ok(
        'loadbalancer member unset --weight --monitor-port --monitor-address --backup --all-tag back one',
      );
      expect(await member.active('loadbalancer member show back one')).toMatchObject({
        weight: 1,
        monitor_port: null,
        monitor_address: null,
      });
    });

    it('changes a health monitor, and takes the changes back', async () => {
      await member.ok('loadbalancer healthmonitor set --delay 9 --timeout 8 --url-path /y --disable check');
      expect(await member.active('loadbalancer healthmonitor show check')).toMatchObject({
        delay: 9,
        timeout: 8,
        url_path: '/y',
        admin_state_up: false,
      });
      await member.ok(
        'loadbalancer healthmonitor unset --url-path --expected-codes --http-method --http-version --domain-name --max-retries-down --all-tag check',
      );
      expect(await member.active('loadbalancer healthmonitor show check')).toMatchObject({
        url_path: '/',
        expected_codes: '200',
        http_method: 'GET',
        http_version: null,
        domain_name: null,
        max_retries_down: 3,
      });
    });

    it('deletes them one by one', async () => {
      await member.ok('loadbalancer healthmonitor delete check');
      await member.ok('loadbalancer member delete back one');
      await member.ok('loadbalancer pool delete spare');
      await member.ok('loadbalancer listener delete tcp');
      await member.untilListed('loadbalancer healthmonitor list', 0);
      expect(await member.untilListed('loadbalancer member list back', 1)).toEqual([
        expect.objectContaining({ name: 'two' }),
      ]);
      expect(await member.untilListed('loadbalancer pool list', 1)).toEqual([
        expect.objectContaining({ name: 'back' }),
      ]);
      expect(await member.untilListed('loadbalancer listener list', 1)).toEqual([
        expect.objectContaining({ name: 'http' }),
      ]);
    });
  });
}
