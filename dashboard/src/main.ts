/** The page's elements, and its theme. */
import './actions/confirm';
import './actions/deploy';
import './actions/key';
import './parts/evidence';
import './parts/ticking';
import './parts/tip-box';
import './app';

const theme = localStorage.getItem('teal.theme');
if (theme) document.documentElement.dataset.theme = theme;
