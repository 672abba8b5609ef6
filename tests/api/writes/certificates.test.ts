import { createCertificates } from '../../../driver/clouds/certificates/certificates';
import type { Identity } from '../../../driver/domain/identity';
import { PROJECT, startTestApi, type TestApi } from '../../support/api';
import { type Issued, issue, issueCrl } from '../../support/certificates/issue';
import { describeOnDatabases } from '../../support/database';
import { aBarbican, type BarbicanSite } from '../../support/simulators/barbican';

describeOnDatabases('references to certificates', ({ open }) => {
  let api: TestApi;
  let site: BarbicanSite;
  let ca: Issued;
  let web: Issued;
  let loadBalancer: string;
  let port = 1000;

  /** The owner of what the requests refer to. */
  const OWNER: Identity = {
    userId: 'owner',
    projectId: PROJECT,
    domainId: null,
    systemScope: null,
    roles: ['member'],
    isAdmin: false,
  };
  const MISSING = 'http://keys/v1/containers/5ca1ab1e-0000-4000-8000-000000000000';

  beforeAll(async () => {
    ca = await issue({ cn: 'Authority', isCa: true });
    web = await issue({ cn: 'web.example.org', issuer: ca });
    site = await aBarbican();
    api = await startTestApi({ open, certificates: createCertificates({ store: site.store }) });
    const vip = { vip_subnet_id: '33333333-3333-4333-8333-333333333333' };
    loadBalancer = (await api.create('/v2/lbaas/loadbalancers', 'loadbalancer', { project_id: PROJECT, ...vip })).id;
    await api.settle();
  });
  afterAll(() => api.close());
  afterEach(() => api.settle());

  async function keep(content: string): Promise<string> {
    const { id } = await site.barbican.createSecret(OWNER, {
      name: null,
      secretType: 'opaque',
      algorithm: null,
      bitLength: null,
      mode: null,
      expiration: null,
      payload: { content: Buffer.from(content), contentType: 'text/plain' },
    });
    return `http://keys/v1/secrets/${id}`;
  }

  async function contain({ pem, keyPem }: Issued): Promise<string> {
    const [certificate, key] = [await keep(pem), await keep(keyPem)];
    const idOf = (ref: string) => ref.split('/').at(-1) ?? '';
    const secretRefs = [
      { name: 'certificate', secretId: idOf(certificate) },
      { name: 'private_key', secretId: idOf(key) },
    ];
    const { id } = await site.barbican.createContainer(OWNER, { name: null, type: 'certificate', secretRefs });
    return `http://keys/v1/containers/${id}`;
  }

  const HEADERS = { 'x-project-id': PROJECT, 'x-user-id': 'owner', 'x-roles': 'member' };

  function postListener(fields: object) {
    port += 1;
    const listener = { loadbalancer_id: loadBalancer, protocol: 'TERMINATED_HTTPS', protocol_port: port, ...fields };
    return api.post('/v2/lbaas/listeners', { listener }, HEADERS);
  }

  function postPool(fields: object) {
    const pool = { loadbalancer_id: loadBalancer, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', ...fields };
    return api.post('/v2/lbaas/pools', { pool }, HEADERS);
  }

  const retrieval = (...refs: string[]) => `Could not retrieve certificate: ['${refs.join("', '")}']`;

  it('creates a listener with what the owner keeps, and may fetch it from then on', async () => {
    const container = await contain(web);
    const caRef = await keep(ca.pem);

    const created = await postListener({
      default_tls_container_ref: container,
      sni_container_refs: [await contain(await issue({ cn: 'sni.example.org' }))],
      client_ca_tls_container_ref: caRef,
      client_crl_container_ref: await keep(await issueCrl(ca)),
      client_authentication: 'OPTIONAL',
    });

    expect(created.status).toBe(201);
    expect(created.body.listener.default_tls_container_ref).toBe(container);
    const certificates = createCertificates({ store: site.store });
    expect((await certificates.fetchMaterial(container, 'service')).primaryCn).toBe('web.example.org');
    expect(await certificates.fetchCaBundle(caRef, 'service')).toBe(ca.pem);
  });

  it('tells every reference of a listener that cannot be had, and changes nothing', async () => {
    const before = await api.get(`/v2/lbaas/loadbalancers/${loadBalancer}`, HEADERS);
    const [first, second] = [MISSING, MISSING.replace('5ca1', '5ca2')];

    const { status, body } = await postListener({ default_tls_container_ref: first, sni_container_refs: [second] });

    expect([status, body.faultstring]).toEqual([400, retrieval(first, second)]);
    expect((await api.get(`/v2/lbaas/loadbalancers/${loadBalancer}`, HEADERS)).body).toEqual(before.body);
  });

  it('says first what is wrong with the request itself', async () => {
    const { body } = await postListener({ protocol: 'HTTP', default_tls_container_ref: MISSING });

    expect(body.faultstring).toBe(
      'Validation failure: Certificate container references are not allowed on HTTP protocol listeners.',
    );
  });

  it('does not take from a caller what belongs to another project', async () => {
    const container = await contain(web);
    const stranger = { ...HEADERS, 'x-project-id': '22222222-2222-4222-8222-222222222222', 'x-roles': 'admin' };

    const listener = {
      loadbalancer_id: loadBalancer,
      protocol: 'TERMINATED_HTTPS',
      protocol_port: 7,
      default_tls_container_ref: container,
    };
    const { body } = await api.post('/v2/lbaas/listeners', { listener }, stranger);

    expect(body.faultstring).toBe(retrieval(container));
  });

  it('looks at what an update changes, a new list with the authority as it was', async () => {
    const caRef = await keep(ca.pem);
    const { body } = await postListener({
      default_tls_container_ref: await contain(web),
      client_ca_tls_container_ref: caRef,
    });
    const put = async (listener: object) => {
      await api.settle();
      return api.put(`/v2/lbaas/listeners/${body.listener.id}`, { listener }, HEADERS);
    };
    const stranger = await issue({ cn: 'Stranger', isCa: true });

    expect((await put({ default_tls_container_ref: MISSING })).body.faultstring).toBe(retrieval(MISSING));
    expect((await put({ client_crl_container_ref: MISSING })).body.faultstring).toBe(retrieval(MISSING));
    expect((await put({ client_crl_container_ref: await keep(await issueCrl(stranger)) })).body.faultstring).toBe(
      'Validation failure: The CRL specified is not valid for client certificate authority reference supplied.',
    );
    expect((await put({ client_crl_container_ref: await keep(await issueCrl(ca)) })).status).toBe(200);
    expect((await put({ client_ca_tls_container_ref: await keep(stranger.pem) })).body.faultstring).toContain(
      'The CRL specified is not valid',
    );
    await site.barbican.remove(OWNER, 'secret', caRef.split('/').at(-1) ?? '');
    expect((await put({ name: 'renamed' })).status).toBe(200);
  });

  it('holds for pools as well', async () => {
    const created = await postPool({
      tls_enabled: true,
      tls_container_ref: await contain(web),
      ca_tls_container_ref: await keep(ca.pem),
    });
    expect(created.status).toBe(201);
    await api.settle();

    expect((await postPool({ ca_tls_container_ref: MISSING, crl_container_ref: 'x' })).body.faultstring).toBe(
      retrieval(MISSING, 'x'),
    );
    const put = (pool: object) => api.put(`/v2/lbaas/pools/${created.body.pool.id}`, { pool }, HEADERS);
    expect((await put({ tls_container_ref: MISSING })).body.faultstring).toBe(retrieval(MISSING));
    expect((await put({ crl_container_ref: await keep('garbage') })).body.faultstring).toContain(
      'The client authentication certificate revocation list is invalid.',
    );
  });

  it('holds for everything in a fully populated create, of which nothing stays behind', async () => {
    const nameless = await contain(await issue({ cn: '' }));
    const create = (listener: object, pool: object) =>
      api.post(
        '/v2/lbaas/loadbalancers',
        {
          loadbalancer: {
            name: 'graph',
            vip_subnet_id: '33333333-3333-4333-8333-333333333333',
            listeners: [{ protocol: 'TERMINATED_HTTPS', protocol_port: 443, ...listener }],
            pools: [{ name: 'p', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', ...pool }],
          },
        },
        HEADERS,
      );

    const listener = { default_tls_container_ref: await contain(web) };
    expect((await create({ default_tls_container_ref: nameless }, {})).body.faultstring).toBe(
      'No CN or DNSName(s) found in certificate. The certificate is invalid.',
    );
    expect((await create(listener, { tls_container_ref: MISSING })).body.faultstring).toBe(retrieval(MISSING));
    expect((await api.get('/v2/lbaas/loadbalancers?name=graph', HEADERS)).body.loadbalancers).toEqual([]);
    expect((await create(listener, { ca_tls_container_ref: await keep(ca.pem) })).status).toBe(201);
  });
});
