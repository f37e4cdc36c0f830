<?php
/**
 * Sends what the module noted. For cron only, every minute:
 *
 *     * * * * * php /path/to/shop/modules/fizzbridge/cron.php
 */

if (PHP_SAPI !== 'cli') {
    http_response_code(404);
    exit;
}

require dirname(__DIR__, 2) . '/config/config.inc.php';

$module = Module::getInstanceByName('fizzbridge');
if ($module && $module->active) {
    $module->sendDue();
}
