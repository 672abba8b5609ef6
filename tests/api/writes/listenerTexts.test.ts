import { type ApiResponse, startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';

/** The texts with which certificates and HSTS of a listener are refused, at its creation and at its update. */

describeOnDatabases('certificates and HSTS of a listener', ({ open }) => {
  let api: TestApi;
  let lb: string;
  beforeAll(async () => {
    api = await startTestApi({ open });
    lb = (await api.create('/v2/lbaas/loadbalancers', 'loadbalancer', { vip_subnet_id: api.changes.deps.newId() })).id;
    await api.settle();
  });
  afterAll(() => api.close());
  afterEach(() => api.settle());

  let port = 1000;
  const post = (body: object) =>
    api.post('/v2/lbaas/listeners', { listener: { loadbalancer_id: lb, protocol_port: ++port, ...body } });
  const update = async (stored: object, body: object): Promise<ApiResponse> => {
    const made = await post(stored);
    if (made.status !== 201) throw new Error(made.text);
    await api.settle();
    return api.put(`/v2/lbaas/listeners/${made.body.listener.id}`, { listener: body });
  };
  const refused = ({ status, body }: ApiResponse): unknown[] => [status, body.faultstring];
  const invalid = (text: string): unknown[] => [400, `Validation failure: ${text}`];

  const TLS = { protocol: 'TERMINATED_HTTPS', default_tls_container_ref: 'r' };
  const AUTHORITY = { ...TLS, client_ca_tls_container_ref: 'ca' };
  const REVOKING = { ...AUTHORITY, client_crl_container_ref: 'crl' };

  it.each<[object, string]>([
    [
      { protocol: 'TERMINATED_HTTPS', client_ca_tls_container_ref: 'ca' },
      'An SNI or default certificate container reference must be provided with a client CA container reference.',
    ],
    [
      { ...TLS, client_crl_container_ref: 'crl' },
      'A client authentication CA reference is required to specify a client authentication revocation list.',
    ],
    [
      { ...TLS, client_authentication: 'OPTIONAL' },
      'Client authentication setting OPTIONAL requires a client CA container reference.',
    ],
  ])('are refused in %j', async (body, text) => {
    expect(refused(await post(body))).toEqual(invalid(text));
  });

  it.each<[object, object, string]>([
    [
      TLS,
      { client_authentication: 'MANDATORY' },
      'Client authentication setting MANDATORY requires a client CA container reference.',
    ],
    [TLS, { client_crl_container_ref: 'crl' }, 'A CA certificate reference is required to specify a revocation list.'],
    [
      REVOKING,
      { client_ca_tls_container_ref: null },
      'A CA reference cannot be removed when a certificate revocation list is present.',
    ],
    [
      TLS,
      { hsts_preload: true },
      'Cannot enable hsts_include_subdomains or hsts_preload if hsts_max_age was not set as well.',
    ],
    [
      { ...TLS, hsts_max_age: 5 },
      { hsts_max_age: null, hsts_include_subdomains: true },
      'Cannot enable hsts_include_subdomains or hsts_preload if hsts_max_age was not set as well.',
    ],
    [
      { protocol: 'HTTP' },
      { hsts_max_age: 5 },
      'The HSTS feature can only be used for listeners using the TERMINATED_HTTPS protocol.',
    ],
    [
      { protocol: 'HTTP' },
      { sni_container_refs: ['r'] },
      'Certificate container references are not allowed on HTTP protocol listeners.',
    ],
    [
      { protocol: 'UDP' },
      { insert_headers: { 'X-Forwarded-For': 'true' } },
      'UDP protocol listener does not support TLS or header insertion.',
    ],
    [
      { protocol: 'UDP' },
      { default_tls_container_ref: 'r' },
      'UDP protocol listener does not support TLS or header insertion.',
    ],
  ])('of %j are refused in an update to %j', async (stored, body, text) => {
    expect(refused(await update(stored, body))).toEqual(invalid(text));
  });

  it.each<[object, object]>([
    [{ ...TLS, hsts_max_age: 5 }, { hsts_preload: true }],
    [AUTHORITY, { client_authentication: 'MANDATORY' }],
    [AUTHORITY, { client_crl_container_ref: 'crl' }],
    [REVOKING, { client_crl_container_ref: null }],
    [REVOKING, { client_ca_tls_container_ref: null, client_crl_container_ref: null }],
  ])('of %j are taken in an update to %j', async (stored, body) => {
    const answer = await update(stored, body);

    expect(answer.status).toBe(200);
    expect(answer.body.listener).toMatchObject(body);
  });
});
