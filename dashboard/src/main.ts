/** The page's elements, and its theme. */
import './parts/ticking';
import './parts/tip';
import './parts/evidence';
import './actions/confirm';
import './actions/deploy';
import './actions/key';
import './app';

const theme = localStorage.getItem('teal.theme');
if (theme) document.documentElement.dataset.theme = theme;
