<?php

declare(strict_types=1);

namespace Fizz\Bridge\Model;

use Magento\Framework\App\Config\ScopeConfigInterface;
use Magento\Framework\Encryption\EncryptorInterface;

/**
 * What the merchant set under Stores > Configuration > Services > Bridge.
 */
class Settings
{
    private const ROOT = 'fizz_bridge/delivery/';

    public function __construct(
        private ScopeConfigInterface $config,
        private EncryptorInterface $encryptor
    ) {
    }

    public function isEnabled(): bool
    {
        return $this->config->isSetFlag(self::ROOT . 'enabled');
    }

    public function address(): string
    {
        return trim((string)$this->config->getValue(self::ROOT . 'address'));
    }

    public function secret(): string
    {
        // No backend model in config.xml, so the value comes as it is stored: encrypted.
        return $this->encryptor->decrypt((string)$this->config->getValue(self::ROOT . 'secret'));
    }
}
