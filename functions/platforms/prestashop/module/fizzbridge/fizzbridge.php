<?php
/**
 * Tells a fizzbridge what happens in this shop.
 *
 * Hooks run while a shopper waits, so they only note what happened in a table; cron.php sends it.
 * A note names things and holds nothing personal: the bridge reads the rest from the webservice.
 *
 * PrestaShop 1.7 to 9, PHP 7.1 or later.
 */

if (!defined('_PS_VERSION_')) {
    exit;
}

class Fizzbridge extends Module
{
    const URL = 'FIZZBRIDGE_URL';
    const SECRET = 'FIZZBRIDGE_SECRET';

    /** How long the bridge may stay away before a note is given up. */
    const KEPT_S = 259200;
    const LONGEST_WAIT_S = 3600;
    const TIMEOUT_S = 3;
    /** A run ends before cron begins the next one. */
    const RUN_S = 50;

    const HOOKS = [
        'actionValidateOrder',
        'actionOrderStatusPostUpdate',
        'actionOrderEdited',
        'actionPaymentConfirmation',
        'actionObjectOrderPaymentAddAfter',
        'actionOrderSlipAdd',
        'actionOrderReturn',
        'actionAdminOrdersTrackingNumberUpdate',
        'actionUpdateQuantity',
        'actionObjectProductAddAfter',
        'actionObjectProductUpdateAfter',
        'actionObjectProductDeleteAfter',
        'actionObjectCombinationAddAfter',
        'actionObjectCombinationUpdateAfter',
        'actionObjectCombinationDeleteAfter',
        'actionObjectSpecificPriceAddAfter',
        'actionObjectSpecificPriceUpdateAfter',
        'actionObjectSpecificPriceDeleteAfter',
        'actionObjectCustomerAddAfter',
        'actionObjectCustomerUpdateAfter',
        'actionObjectAddressAddAfter',
        'actionObjectAddressUpdateAfter',
    ];

    public function __construct()
    {
        $this->name = 'fizzbridge';
        $this->tab = 'administration';
        $this->version = '1.0.0';
        $this->author = 'fizzbridge';
        $this->need_instance = 0;
        $this->bootstrap = true;
        $this->ps_versions_compliancy = ['min' => '1.7.0.0', 'max' => '9.99.99'];
        parent::__construct();
        $this->displayName = 'fizzbridge';
        $this->description = 'Tells a fizzbridge what happens to orders, stock, products and customers.';
    }

    public function install()
    {
        return parent::install()
            && Db::getInstance()->execute(
                'CREATE TABLE IF NOT EXISTS `' . $this->table() . '` (
                    `id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
                    `id_shop` INT UNSIGNED NOT NULL,
                    `body` TEXT NOT NULL,
                    `noted_at` INT UNSIGNED NOT NULL,
                    `next_try` INT UNSIGNED NOT NULL,
                    `tries` INT UNSIGNED NOT NULL DEFAULT 0,
                    PRIMARY KEY (`id`),
                    KEY `due` (`next_try`, `id`)
                ) ENGINE=' . _MYSQL_ENGINE_ . ' DEFAULT CHARSET=utf8mb4'
            )
            && $this->registerHook(self::HOOKS);
    }

    public function uninstall()
    {
        return Db::getInstance()->execute('DROP TABLE IF EXISTS `' . $this->table() . '`')
            && Configuration::deleteByName(self::URL)
            && Configuration::deleteByName(self::SECRET)
            && parent::uninstall();
    }

    // -- what happens in the shop -----------------------------------------------------------------

    public function hookActionValidateOrder($params)
    {
        $this->note('order.created', $params);
    }

    public function hookActionOrderStatusPostUpdate($params)
    {
        $this->note('order.status_changed', $params);
    }

    public function hookActionOrderEdited($params)
    {
        $this->note('order.edited', $params);
    }

    public function hookActionPaymentConfirmation($params)
    {
        $this->note('order.paid', $params);
    }

    /** A payment noted by hand changes no state, and not the order's date either. */
    public function hookActionObjectOrderPaymentAddAfter($params)
    {
        $this->note('order.paid', $params);
    }

    public function hookActionOrderSlipAdd($params)
    {
        $this->note('order.refunded', $params);
    }

    public function hookActionOrderReturn($params)
    {
        $this->note('order.returned', $params);
    }

    public function hookActionAdminOrdersTrackingNumberUpdate($params)
    {
        $this->note('order.shipped', $params);
    }

    public function hookActionUpdateQuantity($params)
    {
        $this->note('stock.changed', $params);
    }

    public function hookActionObjectProductAddAfter($params)
    {
        $this->note('product.changed', $params);
    }

    public function hookActionObjectProductUpdateAfter($params)
    {
        $this->note('product.changed', $params);
    }

    public function hookActionObjectProductDeleteAfter($params)
    {
        $this->note('product.deleted', $params);
    }

    public function hookActionObjectCombinationAddAfter($params)
    {
        $this->note('product.changed', $params);
    }

    public function hookActionObjectCombinationUpdateAfter($params)
    {
        $this->note('product.changed', $params);
    }

    public function hookActionObjectCombinationDeleteAfter($params)
    {
        $this->note('product.deleted', $params);
    }

    public function hookActionObjectSpecificPriceAddAfter($params)
    {
        $this->note('price.changed', $params);
    }

    public function hookActionObjectSpecificPriceUpdateAfter($params)
    {
        $this->note('price.changed', $params);
    }

    public function hookActionObjectSpecificPriceDeleteAfter($params)
    {
        $this->note('price.changed', $params);
    }

    public function hookActionObjectCustomerAddAfter($params)
    {
        $this->note('customer.changed', $params);
    }

    public function hookActionObjectCustomerUpdateAfter($params)
    {
        $this->note('customer.changed', $params);
    }

    public function hookActionObjectAddressAddAfter($params)
    {
        $this->note('address.changed', $params);
    }

    public function hookActionObjectAddressUpdateAfter($params)
    {
        $this->note('address.changed', $params);
    }

    /** Write down what happened. Nothing that goes wrong here may stop a shopper. */
    private function note($event, array $params)
    {
        try {
            foreach ($this->described($event, $params) as $fields) {
                $idShop = (int) ($fields['id_shop'] ?? 0) ?: (int) $this->context->shop->id;
                $body = ['event' => $event, 'id_shop' => $idShop] + $fields;
                $body['delivery_id'] = $this->uuid();
                $isNoted = Db::getInstance()->insert('fizzbridge_outbox', [
                    'id_shop' => $idShop,
                    'body' => pSQL(json_encode($body, JSON_UNESCAPED_SLASHES), true),
                    'noted_at' => time(),
                    'next_try' => time(),
                ]);
                if (!$isNoted) {
                    throw new RuntimeException('the table took no row');
                }
            }
        } catch (Throwable $error) {
            PrestaShopLogger::addLog('fizzbridge: ' . $event . ' was not noted: ' . $error->getMessage(), 3);
        }
    }

    /** The ids of what an event is about; several where one payment is for several orders. */
    private function described($event, array $params)
    {
        $object = $params['object'] ?? null;
        switch (strtok($event, '.')) {
            case 'order':
                return array_map(function ($order) use ($params) {
                    $state = $params['newOrderStatus']->id ?? $order->current_state;

                    return [
                        'id_shop' => (int) $order->id_shop,
                        'id_order' => (int) $order->id,
                        'reference' => $order->reference,
                        'id_order_state' => (int) $state,
                        'date_upd' => $order->date_upd,
                    ];
                }, $this->orders($params));
            case 'stock':
                return [[
                    'id_shop' => (int) ($params['id_shop'] ?? 0),
                    'id_product' => (int) $params['id_product'],
                    'id_product_attribute' => (int) ($params['id_product_attribute'] ?? 0),
                ]];
            case 'product':
                return [$object instanceof Combination
                    ? ['id_product' => (int) $object->id_product, 'id_product_attribute' => (int) $object->id]
                    : ['id_product' => (int) $object->id, 'id_product_attribute' => 0]];
            case 'price':
                return [[
                    'id_product' => (int) $object->id_product,
                    'id_product_attribute' => (int) $object->id_product_attribute,
                    'id_customer' => (int) $object->id_customer,
                ]];
            case 'customer':
                return [['id_customer' => (int) $object->id]];
            default:
                // Addresses of suppliers and brands are nobody's who buys.
                return (int) $object->id_customer
                    ? [['id_customer' => (int) $object->id_customer, 'id_address' => (int) $object->id]]
                    : [];
        }
    }

    /** Hooks name an order in four ways. */
    private function orders(array $params)
    {
        if (($params['order'] ?? null) instanceof Order) {
            return [$params['order']];
        }
        if (($params['object'] ?? null) instanceof OrderPayment) {
            return iterator_to_array(Order::getByReference($params['object']->order_reference));
        }
        $idOrder = $params['id_order'] ?? $params['orderReturn']->id_order ?? 0;
        $order = new Order((int) $idOrder);

        return Validate::isLoadedObject($order) ? [$order] : [];
    }

    private function uuid()
    {
        $bytes = random_bytes(16);
        $bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
        $bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);

        return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
    }

    // -- sending ----------------------------------------------------------------------------------

    /** Send what is due; cron.php calls it every minute. */
    public function sendDue()
    {
        $database = Db::getInstance();
        $lock = pSQL($this->table());
        if (!(int) $database->getValue("SELECT GET_LOCK('$lock', 0)", false)) {
            return;
        }
        try {
            $this->giveUpOld();
            $until = time() + self::RUN_S;
            $due = $database->executeS(
                'SELECT * FROM `' . $this->table() . '` WHERE `next_try` <= ' . time() . ' ORDER BY `id` LIMIT 200',
                true,
                false
            );
            foreach ($due ?: [] as $row) {
                $status = $this->send($row);
                if ($status >= 200 && $status < 300) {
                    $database->delete('fizzbridge_outbox', '`id` = ' . (int) $row['id']);
                    continue;
                }
                $this->postpone($row);
                if ($status === 0 || time() >= $until) {
                    // Nobody answers, or it takes too long: the others would only wait as well.
                    break;
                }
            }
        } finally {
            $database->getValue("SELECT RELEASE_LOCK('$lock')", false);
        }
    }

    /** Post a note; the status of the answer, 0 where there was none. */
    private function send(array $row)
    {
        $url = (string) Configuration::get(self::URL, null, null, (int) $row['id_shop']);
        $secret = (string) Configuration::get(self::SECRET, null, null, (int) $row['id_shop']);
        if ($url === '' || $secret === '') {
            return 1;
        }
        // Signed anew at each try: the bridge takes no time older than five minutes.
        $timestamp = (string) time();
        $proof = hash_hmac('sha256', $timestamp . '.' . $row['body'], $secret);
        $call = curl_init($url);
        curl_setopt_array($call, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $row['body'],
            CURLOPT_HTTPHEADER => [
                'Content-Type: application/json',
                'X-Fizz-Timestamp: ' . $timestamp,
                'X-Fizz-Signature: v1=' . $proof,
            ],
            CURLOPT_PROTOCOLS => CURLPROTO_HTTPS,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CONNECTTIMEOUT => self::TIMEOUT_S,
            CURLOPT_TIMEOUT => self::TIMEOUT_S,
        ]);
        curl_exec($call);

        return (int) curl_getinfo($call, CURLINFO_RESPONSE_CODE);
    }

    private function postpone(array $row)
    {
        $tries = (int) $row['tries'] + 1;
        $wait = min(self::LONGEST_WAIT_S, 30 * 2 ** min($tries, 10));
        Db::getInstance()->update(
            'fizzbridge_outbox',
            ['tries' => $tries, 'next_try' => time() + $wait],
            '`id` = ' . (int) $row['id']
        );
    }

    private function giveUpOld()
    {
        $database = Db::getInstance();
        $database->delete('fizzbridge_outbox', '`noted_at` < ' . (time() - self::KEPT_S));
        $lost = (int) $database->Affected_Rows();
        if ($lost) {
            PrestaShopLogger::addLog('fizzbridge: ' . $lost . ' notes were given up after 72 hours', 3);
        }
    }

    private function table()
    {
        return _DB_PREFIX_ . 'fizzbridge_outbox';
    }

    // -- configuration ----------------------------------------------------------------------------

    public function getContent()
    {
        $said = '';
        if (Tools::isSubmit('submitFizzbridge')) {
            $url = trim((string) Tools::getValue(self::URL));
            $secret = trim((string) Tools::getValue(self::SECRET));
            if (strpos($url, 'https://') !== 0 || !Validate::isAbsoluteUrl($url)) {
                $said = $this->displayError($this->l('The address must begin with https://.'));
            } elseif ($secret !== '' && strlen($secret) < 16) {
                $said = $this->displayError($this->l('The secret must have 16 characters or more.'));
            } else {
                Configuration::updateValue(self::URL, $url);
                if ($secret !== '') {
                    Configuration::updateValue(self::SECRET, $secret);
                }
                $said = $this->displayConfirmation($this->l('Saved.'));
            }
        }

        return $said . $this->form();
    }

    private function form()
    {
        $waiting = (int) Db::getInstance()->getValue('SELECT COUNT(*) FROM `' . $this->table() . '`');
        $helper = new HelperForm();
        $helper->module = $this;
        $helper->table = $this->table;
        $helper->identifier = $this->identifier;
        $helper->token = Tools::getAdminTokenLite('AdminModules');
        $helper->currentIndex = AdminController::$currentIndex . '&configure=' . $this->name;
        $helper->submit_action = 'submitFizzbridge';
        // The secret is never shown again.
        $helper->fields_value = [self::URL => Configuration::get(self::URL), self::SECRET => ''];

        return $helper->generateForm([['form' => [
            'legend' => ['title' => $this->displayName],
            'description' => sprintf($this->l('%d notes are waiting to be sent.'), $waiting),
            'input' => [
                [
                    'type' => 'text',
                    'name' => self::URL,
                    'label' => $this->l('Address of the connection'),
                    'required' => true,
                ],
                [
                    'type' => 'password',
                    'name' => self::SECRET,
                    'label' => $this->l('Secret'),
                    'desc' => $this->l('Leave it empty to keep the present one.'),
                ],
            ],
            'submit' => ['title' => $this->l('Save')],
        ]]]);
    }
}
