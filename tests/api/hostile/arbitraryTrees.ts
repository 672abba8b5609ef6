import fc from 'fast-check';

/** Documents for a fully populated create. They are good in all but what the types below can say: names, ports, addresses. */
export interface TreeBody {
  readonly name?: string;
  readonly listeners?: readonly ListenerBody[];
  readonly pools?: readonly PoolBody[];
}

export interface ListenerBody {
  readonly protocol: string;
  readonly protocol_port: number;
  readonly default_pool?: PoolBody;
  readonly l7policies?: readonly PolicyBody[];
}

export interface PoolBody {
  readonly name?: string;
  readonly protocol?: string;
  readonly lb_algorithm?: string;
  readonly members?: readonly MemberBody[];
  readonly healthmonitor?: object;
}

export interface PolicyBody {
  readonly action: string;
  readonly redirect_pool?: PoolBody;
  readonly redirect_url?: string;
  readonly position?: number;
  readonly rules?: readonly object[];
}

export interface MemberBody {
  readonly address: string;
  readonly protocol_port: number;
}

const name = fc.constantFrom('a', 'b', 'c', 'a ', '');
const tags = fc.uniqueArray(fc.constantFrom('x', 'y', 'ä'), { maxLength: 2 });

const member: fc.Arbitrary<MemberBody> = fc.record(
  {
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::1', '2001:DB8::1'),
    protocol_port: fc.integer({ min: 1, max: 3 }),
    weight: fc.integer({ min: 0, max: 256 }),
    tags,
  },
  { requiredKeys: ['address', 'protocol_port'] },
);

const monitor = fc.record(
  {
    type: fc.constantFrom('HTTP', 'TCP'),
    delay: fc.constant(5),
    timeout: fc.constant(3),
    max_retries: fc.integer({ min: 1, max: 10 }),
    tags,
  },
  { requiredKeys: ['type', 'delay', 'timeout', 'max_retries'] },
);

const definition: fc.Arbitrary<PoolBody> = fc.record(
  {
    name,
    protocol: fc.constantFrom('HTTP', 'PROXY'),
    lb_algorithm: fc.constantFrom('ROUND_ROBIN', 'SOURCE_IP'),
    members: fc.array(member, { maxLength: 3 }),
    healthmonitor: monitor,
    tags,
  },
  { requiredKeys: ['protocol', 'lb_algorithm'] },
);
const reference: fc.Arbitrary<PoolBody> = fc.record({ name });
/** One of a hundred lacks what a definition must have. */
const broken: fc.Arbitrary<PoolBody> = fc.record({ name, protocol: fc.constant('HTTP') });
const pool = fc.oneof(
  { weight: 60, arbitrary: definition },
  { weight: 39, arbitrary: reference },
  { weight: 1, arbitrary: broken },
);

const rule = fc.constantFrom(
  { type: 'PATH', compare_type: 'STARTS_WITH', value: '/a' },
  { type: 'HEADER', compare_type: 'EQUAL_TO', key: 'X-A', value: 'b', invert: true },
);
const rules = fc.array(rule, { maxLength: 2 });
const position = fc.integer({ min: 1, max: 4 });
const policy: fc.Arbitrary<PolicyBody> = fc.oneof(
  fc.record({ action: fc.constant('REJECT'), position, rules }, { requiredKeys: ['action'] }),
  fc.record(
    { action: fc.constant('REDIRECT_TO_URL'), redirect_url: fc.constant('http://e.example/'), position, rules },
    { requiredKeys: ['action', 'redirect_url'] },
  ),
  fc.record(
    { action: fc.constant('REDIRECT_TO_POOL'), redirect_pool: pool, position, rules },
    { requiredKeys: ['action', 'redirect_pool'] },
  ),
);

const listener: fc.Arbitrary<ListenerBody> = fc.record(
  {
    protocol: fc.constant('HTTP'),
    protocol_port: fc.integer({ min: 1, max: 12 }),
    name,
    default_pool: pool,
    l7policies: fc.array(policy, { maxLength: 3 }),
    tags,
  },
  { requiredKeys: ['protocol', 'protocol_port'] },
);

export const treeBody: fc.Arbitrary<TreeBody> = fc.record(
  {
    name,
    listeners: fc.array(listener, { maxLength: 3 }),
    pools: fc.array(fc.oneof({ weight: 30, arbitrary: definition }, { weight: 1, arbitrary: broken }), {
      maxLength: 3,
    }),
  },
  { requiredKeys: [] },
);
