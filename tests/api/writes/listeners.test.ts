import { type ApiResponse, startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';
import { createTree, type Tree } from './tree';

/** What a listener may be: defaults, null against absent, and what is refused with which text. */

describeOnDatabases('writes of listeners', ({ open }) => {
  let api: TestApi;
  let tree: Tree;
  beforeAll(async () => {
    api = await startTestApi({ open, changes: { minimumTlsVersion: 'TLSv1.2', prohibitedCiphers: ['RC4-MD5'] } });
    tree = await createTree(api);
  });
  afterAll(() => api.close());
  afterEach(() => api.settle());

  const fault = ({ status, body }: ApiResponse): string => `${status} ${body.faultstring}`;
  const INVALID = '400 Validation failure: ';
  let port = 1000;
  const postListener = (body: object) =>
    api.post('/v2/lbaas/listeners', {
      listener: { protocol: 'HTTP', protocol_port: ++port, loadbalancer_id: tree.lb, ...body },
    });
  const putListener = (body: object) => api.put(`/v2/lbaas/listeners/${tree.listener}`, { listener: body });

  describe('a listener', () => {
    it('has defaults, and takes null for each of them', async () => {
      const nulls = {
        connection_limit: null,
        timeout_client_data: null,
        timeout_member_connect: null,
        timeout_member_data: null,
        timeout_tcp_inspect: null,
        insert_headers: null,
        allowed_cidrs: null,
        sni_container_refs: null,
        tls_ciphers: null,
        default_tls_container_ref: null,
      };
      const plain = (await postListener({})).body.listener;
      await api.settle();
      const given = (await postListener(nulls)).body.listener;

      const expected = {
        admin_state_up: true,
        connection_limit: -1,
        timeout_client_data: 50_000,
        timeout_member_connect: 5_000,
        timeout_member_data: 50_000,
        timeout_tcp_inspect: 0,
        insert_headers: {},
        allowed_cidrs: null,
        client_authentication: 'NONE',
        tls_versions: null,
      };
      expect(plain).toMatchObject(expected);
      expect(given).toMatchObject(expected);
    });

    it('that terminates TLS has TLS defaults', async () => {
      const { body } = await postListener({ protocol: 'TERMINATED_HTTPS', default_tls_container_ref: 'ref' });

      expect(body.listener).toMatchObject({
        default_tls_container_ref: 'ref',
        tls_versions: ['TLSv1.2', 'TLSv1.3'],
        alpn_protocols: ['h2', 'http/1.1', 'http/1.0'],
      });
      expect(body.listener.tls_ciphers).toContain('TLS_AES_256_GCM_SHA384');
    });

    it('goes back to its defaults by null, and keeps what is absent', async () => {
      await putListener({ connection_limit: 7, timeout_client_data: 9, insert_headers: { 'X-Forwarded-For': 'true' } });
      await api.settle();
      await putListener({ allowed_cidrs: ['192.0.2.0/24', '198.51.100.0/24'] });
      await api.settle();
      const kept = (await putListener({ name: 'n' })).body.listener;
      await api.settle();
      const nulls = { connection_limit: null, timeout_client_data: null, insert_headers: null, allowed_cidrs: null };
      const reset = (await putListener({ ...nulls, name: null })).body.listener;

      expect(kept).toMatchObject({
        connection_limit: 7,
        timeout_client_data: 9,
        insert_headers: { 'X-Forwarded-For': 'true' },
        allowed_cidrs: ['192.0.2.0/24', '198.51.100.0/24'],
      });
      expect(reset).toMatchObject({
        name: '',
        connection_limit: -1,
        timeout_client_data: 50_000,
        insert_headers: {},
        allowed_cidrs: null,
      });
    });

    it('shares a port number with other transports only; the text names who has it', async () => {
      expect((await postListener({ protocol: 'UDP', protocol_port: 80 })).status).toBe(201);
      await api.settle();

      expect(fault(await postListener({ protocol: 'TCP', protocol_port: 80 }))).toBe(
        '409 Another Listener on this Load Balancer is already using protocol HTTP and protocol_port 80',
      );
    });

    it.each<[object, string]>([
      [
        { protocol: 'TERMINATED_HTTPS' },
        'An SNI or default certificate container reference must be provided for TERMINATED_HTTPS protocol listeners.',
      ],
      [
        { default_tls_container_ref: 'r' },
        'Certificate container references are not allowed on HTTP protocol listeners.',
      ],
      [{ protocol: 'UDP', default_tls_container_ref: 'r' }, 'UDP protocol listener does not support TLS.'],
      [
        { client_authentication: 'MANDATORY' },
        'Client authentication setting MANDATORY requires a client CA container reference.',
      ],
      [
        { tls_versions: [] },
        'Empty TLS version list. Either specify at least one TLS version or remove this parameter to use the default.',
      ],
      [{ tls_versions: ['TLSv9'] }, 'Invalid TLS versions: TLSv9'],
      [{ tls_versions: ['SSLv3', 'TLSv1.3'] }, 'Requested TLS versions are less than the minimum: SSLv3 < TLSv1.2'],
      [{ tls_ciphers: 'AES128:RC4-MD5' }, 'The following ciphers have been prohibited by an administrator: RC4-MD5'],
      [
        { tls_ciphers: 'AES 128' },
        'Invalid characters in cipher string. Only alphanumeric, -, +, !, :, @, =, _, and . are allowed.',
      ],
      [
        { alpn_protocols: [] },
        'Empty ALPN protocol list. Either specify at least one ALPN protocol or remove this parameter to use the default.',
      ],
      [{ hsts_max_age: 5 }, 'The HSTS feature can only be used for listeners using the TERMINATED_HTTPS protocol.'],
      [
        { hsts_preload: true },
        'HSTS configuration options hsts_include_subdomains and hsts_preload only make sense if hsts_max_age is set as well.',
      ],
      [{ allowed_cidrs: ['fd00::/8'] }, 'CIDR fd00::/8 IP version incompatible with all VIPs'],
    ])('%j is refused', async (body, text) => {
      expect(fault(await postListener(body))).toContain(INVALID + text);
    });

    it.each<[object, string]>([
      [
        { protocol: 'TCP', insert_headers: { 'X-Forwarded-For': 'true' } },
        '400 insert-headers is not a valid option for a TCP protocol listener.',
      ],
      [{ insert_headers: { 'X-Nope': 'true' } }, "400 dict_keys(['X-Nope']) is not a valid option for insert_headers"],
      [
        { insert_headers: { 'X-SSL-Issuer': 'true' } },
        "400 ['X-SSL-Issuer'] is not a valid option for HTTP protocol listener.",
      ],
      [
        { protocol: 'SCTP' },
        "501 Provider 'slipstream' does not support a requested option: SCTP is not enabled in this deployment.",
      ],
      [
        { default_pool_id: '99999999-9999-4999-8999-999999999999' },
        '404 Pool 99999999-9999-4999-8999-999999999999 not found.',
      ],
      [{ tags: ['a', 'a'] }, `${INVALID}Tag 'a' is given more than once.`],
      [{ protocol_port: null }, '400 None is not a valid option for protocol_port'],
    ])('%j is refused with its own text', async (body, text) => {
      expect(fault(await postListener(body))).toBe(text);
    });

    it('PROMETHEUS takes no pool', async () => {
      expect(fault(await postListener({ protocol: 'PROMETHEUS', default_pool_id: tree.pool }))).toBe(
        '400 Protocol PROMETHEUS listeners cannot have child objects.',
      );
    });
  });
});
