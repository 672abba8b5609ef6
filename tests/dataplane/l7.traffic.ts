import { describeRows } from './describeRows';
import { TABLE } from './table';

describeRows('L7 policies and rules', TABLE.l7, { vipCidr: '127.116.0.0/24' });
