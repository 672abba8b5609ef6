import fc from 'fast-check';
import { compileRules, type RuleSources } from '../../../api/policy/language/rules';
import type { CheckSource } from '../../../api/policy/language/syntax';

const MEMBER = {
  user_id: 'u1',
  project_id: 'p1',
  domain_id: null,
  system_scope: null,
  roles: ['Member', 'reader'],
  is_admin: false,
  token: { project: { domain: { id: 'd1' } }, groups: [{ id: 'g1' }, { id: 'g2' }] },
};
const OWN = { project_id: 'p1', user_id: 'u1', enabled: true, count: 3, nothing: null, role: 'READER', odd: { a: 1 } };

/** Whether the one check grants the member's request on the member's own object. */
function grants(source: CheckSource, others: RuleSources = {}): boolean {
  return compileRules([{ ...others, it: source }]).check('it', OWN, MEMBER);
}

describe('a check', () => {
  it.each<[CheckSource, boolean]>([
    ['', true],
    ['   ', true],
    [null, true],
    ['@', true],
    ['!', false],
    ['role:member', true],
    ['role:MEMBER', true],
    ['role:admin', false],
    ['role:%(role)s', true],
    ['role:%(absent)s', false],
    ['project_id:%(project_id)s', true],
    ['project_id:p1', true],
    ['project_id:p2', false],
    ['user_id:%(user_id)s', true],
    ['user_id:%(absent)s', false],
    ['absent:%(user_id)s', false],
    ['toString:%(user_id)s', false],
    ['project_id:%(toString)s', false],
    ['system_scope:all', false],
    ['system_scope:None', true],
    ['is_admin:True', false],
    ['is_admin:False', true],
    ['True:%(enabled)s', true],
    ['False:%(enabled)s', false],
    ['None:%(nothing)s', true],
    ['3:%(count)s', true],
    ["'p1':%(project_id)s", true],
    ['"p1":%(project_id)s', true],
    ["'':%(project_id)s", false],
    ["'x-p1-y%':x-%(project_id)s-y%%", true],
    ["'x-p1-y%':%(absent)s", false],
    ['token.project.domain.id:d1', true],
    ['token.project.domain:d1', false],
    ['token.groups.id:g2', true],
    ['token.groups.id:g3', false],
    ['project_id:%(odd)s', false],
  ])('%j gives %s', (source, expected) => {
    expect(grants(source)).toBe(expected);
  });

  it('fills texts around attributes, and takes a doubled percent sign as one', () => {
    const rules = compileRules([{ it: 'tag:x-%(project_id)s-%(user_id)s-100%%' }]);

    expect(rules.check('it', OWN, { tag: 'x-p1-u1-100%' })).toBe(true);
    expect(rules.check('it', OWN, { tag: 'x-p1-u1-100%%' })).toBe(false);
  });
});

describe('checks together', () => {
  it.each<[CheckSource, boolean]>([
    ['role:admin or role:member', true],
    ['role:admin and role:member', false],
    ['role:admin OR role:member', true],
    ['not role:admin', true],
    ['not not role:member', true],
    ['not role:member or role:member', true],
    ['not (role:member or role:admin)', false],
    ['@ or ! and !', true],
    ['! and ! or @', true],
    ['(@ or !) and !', false],
    ['! or @ and not !', true],
    ['((role:member))', true],
    ['( role:member and (project_id:%(project_id)s or !) )', true],
    [[], true],
    [[[]], false],
    [['role:admin', 'role:member'], true],
    [[['role:admin', 'role:member']], false],
    [[['role:admin'], ['role:member', 'project_id:%(project_id)s']], true],
  ])('%j gives %s', (source, expected) => {
    expect(grants(source)).toBe(expected);
  });

  it('bind as Python would, whatever is written', () => {
    const operand = fc.constantFrom('@', '!');
    const words = fc.array(fc.tuple(fc.constantFrom('and', 'or'), fc.constantFrom('', 'not '), operand), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(operand, words, (first, rest) => {
        const text = [first, ...rest.map(([join, not, value]) => `${join} ${not}${value}`)].join(' ');
        const asJs = text.replaceAll('and', '&&').replaceAll('or', '||').replaceAll('not ', '~');
        const expected = asJs
          .split('||')
          .some((part) => part.split('&&').every((word) => word.trim() === '@' || word.trim() === '~!'));
        expect(grants(text)).toBe(expected);
      }),
    );
  });
});

describe('a text that is no rule', () => {
  it.each([
    ['role', 'expected kind:match'],
    ['role:a role:b', '"role:b" is not expected there'],
    ['role:a and', 'ends too early'],
    ['or role:a', '"or" is not expected there'],
    ['(role:a', 'ends too early'],
    ['role:a)', '")" is not expected there'],
    ['()', '")" is not expected there'],
    ['not', 'ends too early'],
    ['project_id:%(project_id)d', 'expected %(name)s after the percent sign'],
    ['project_id:%', 'expected %(name)s after the percent sign'],
    ['http://policy.example.org/check', 'remote checks are not supported'],
    [`${'('.repeat(5000)}@${')'.repeat(5000)}`, 'nested too deeply'],
  ])('%j is refused, with the name of the rule', (text, reason) => {
    expect(() => grants(text)).toThrow(reason);
    expect(() => grants(text)).toThrow('rule "it"');
  });
});

describe('rules that refer to others', () => {
  it('follow the reference, wherever it is defined', () => {
    expect(grants('rule:owner and rule:reader', { owner: 'project_id:%(project_id)s', reader: 'role:reader' })).toBe(
      true,
    );
    expect(grants('rule:owner', { owner: '!' })).toBe(false);
  });

  it('are denied by a name that nobody defined, and the name is told', () => {
    const rules = compileRules([{ it: 'rule:nowhere', other: 'not rule:nowhere' }]);

    expect(rules.check('it', OWN, MEMBER)).toBe(false);
    expect([...rules.undefinedNames]).toEqual(['nowhere']);
    expect(rules.check('unheard-of', OWN, MEMBER)).toBe(false);
  });

  it('ask the default rule where a name is not defined', () => {
    const rules = compileRules([{ default: 'role:member', it: 'rule:nowhere' }]);

    expect(rules.check('it', OWN, MEMBER)).toBe(true);
    expect(rules.check('unheard-of', OWN, MEMBER)).toBe(true);
    expect(compileRules([{ fallback: '@' }], 'fallback').check('unheard-of', OWN, MEMBER)).toBe(true);
  });

  it('take a later definition over an earlier one, also through references made earlier', () => {
    const rules = compileRules([{ owner: '!', it: 'rule:owner', else: 'role:reader' }, { owner: '@' }]);

    expect(rules.check('it', OWN, MEMBER)).toBe(true);
    expect(rules.check('else', OWN, MEMBER)).toBe(true);
  });

  it.each<[RuleSources, string]>([
    [{ a: 'rule:a' }, 'rules refer to each other: a -> a'],
    [{ a: 'role:x or rule:b', b: 'not (rule:c)', c: [['rule:b']] }, 'rules refer to each other: b -> c -> b'],
    [{ default: 'rule:nowhere' }, 'rules refer to each other: default -> default'],
  ])('are refused when they go round in a circle: %j', (sources, message) => {
    expect(() => compileRules([sources])).toThrow(message);
  });

  it('may meet again at a common one', () => {
    expect(grants('rule:a and rule:b', { a: 'rule:c', b: 'rule:c', c: '@' })).toBe(true);
  });
});
