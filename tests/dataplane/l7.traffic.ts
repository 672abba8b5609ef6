import { describeRows } from './describeRows';
import { l7PolicyRows } from './rows/l7policy';
import { l7RuleRows } from './rows/l7rule';

describeRows('L7 policies and rules', [...l7PolicyRows, ...l7RuleRows], { vipCidr: '127.116.0.0/24' });
